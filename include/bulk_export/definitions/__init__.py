"""Read, check and write what people define: settings, searches, exports.

- `models.py`: saved searches and saved exports
- `settings.py`: settings.yaml
- `locations.py`, `contact_stores.py`: kinds of storage and of contact stores
- `kinds.py`: registries of kinds, and settings that ask them
- `choices.py`: keys whose valid values a registry says
- `values.py`: time zones, times of day, ids, cron expressions
- `loader.py`: a folder of files as definitions, or every problem at once
- `definition_file.py`: the bytes of one file, and of nothing that is none
- `yaml_file.py`, `yaml_nodes.py`: YAML as values with their lines, and as nodes within limits
- `messages.py`: pydantic's errors in words
- `store.py`: read, save and delete files for the pages
- `yaml_edit.py`, `yaml_layout.py`: change keys of a file and leave the rest as it is
- `stamp.py`: `effective_from` of exports that were edited by hand
- `schedules.py`: cron expressions and next run times
- `run.py`: definitions and parameters of one run
- `json_schema.py`: the models as JSON Schema
- `folder.py`: where the definitions folder is
- `dag_ids.py`: DAG ids of exports
- `safe_names.py`: directory names from names people give
"""
