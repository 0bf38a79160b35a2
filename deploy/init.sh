#!/bin/sh
# Prepare everything the services need. Safe to run at every start: what is there already stays as it is.
set -eu
cd "$(dirname "$0")"

airflow db migrate
airflow users create --username admin --password "$ADMIN_PASSWORD" --role Admin \
    --firstname Bulk --lastname Export --email admin@localhost >/dev/null
python -m bulk_export_airflow.permissions
# As many tasks write to the archive at once as this has slots; an administrator may have changed them.
airflow pools get archive >/dev/null 2>&1 || airflow pools set archive 16 "tasks that write to the archive"

# Definitions live on a volume that people and the UI edit: only a new one gets the sample ones.
if [ ! -e "$BULK_EXPORT_DEFINITIONS/settings.yaml" ]; then
    cp -R definitions/. "$BULK_EXPORT_DEFINITIONS/"
fi
bulk-export --definitions "$BULK_EXPORT_DEFINITIONS" migrate
python init_store.py --contacts "$SAMPLE_CONTACTS"
