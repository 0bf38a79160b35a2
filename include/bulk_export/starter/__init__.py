"""DAG files, definitions and schemas that a new installation starts with.

`dag_files.py`    the texts of the DAG files
`write.py`        write all of them, over nothing that is there

`definitions/` holds the starting definitions as they are written. The folder made of all this is a whole DAG bundle:
its DAG files read the definitions beside them.
"""
