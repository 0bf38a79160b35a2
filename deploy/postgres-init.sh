#!/bin/sh
# PostgreSQL runs this once, when its volume is new: a database of its own for the product's state.
set -eu
psql --set=ON_ERROR_STOP=1 --set=password="$EXPORTS_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE exports LOGIN PASSWORD :'password';
CREATE DATABASE exports OWNER exports;
SQL
