"""Credentials of an Airflow connection to Amazon, as its provider reads it.

The provider knows keys, profiles, assumed roles and the machine's own role, and renews what runs out. It loads boto3,
so `connections.py` names this module and resolves it when such a connection is used.
"""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from obstore.auth.boto3 import Boto3CredentialProvider

from bulk_export.storage.credentials import Credentials


def aws_credentials(connection_id: str) -> Credentials:
    """Credentials that are renewed, and the connection's region and endpoint."""
    hook: Any = AwsGenericHook(aws_conn_id=connection_id, client_type="s3")
    config = hook.conn_config
    options = {"region": config.region_name, "endpoint": config.get_service_endpoint_url("s3")}
    provider = Boto3CredentialProvider(hook.get_session())
    return Credentials({key: value for key, value in options.items() if value}, provider)
