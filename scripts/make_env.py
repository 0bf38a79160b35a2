"""Write `.env`, the secrets of docker-compose.yaml, for its owner only."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from cryptography.fernet import Fernet

ENV_FILE = Path(__file__).resolve().parents[1] / ".env"


def made() -> dict[str, str]:
    """Make every secret of docker-compose.yaml, in hex, fit for an address."""
    passwords = ("ADMIN", "POSTGRES", "EXPORTS", "REDIS")
    return {
        **{f"{name}_PASSWORD": secrets.token_hex(16) for name in passwords},
        "S3_ACCESS_KEY": f"exports{secrets.token_hex(4)}",
        "S3_SECRET_KEY": secrets.token_hex(20),
        "FERNET_KEY": Fernet.generate_key().decode(),
        "JWT_SECRET": secrets.token_hex(32),
        "SESSION_KEY": secrets.token_hex(32),
    }


def main() -> int:
    """Write the file unless it exists: volumes keep its passwords."""
    try:
        file = os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"{ENV_FILE.name} is there already and stays as it is.")
        return 0
    with os.fdopen(file, "w") as out:
        out.writelines(f"{name}={value}\n" for name, value in made().items())
    print(f"Wrote {ENV_FILE.name}. Sign in as admin with its ADMIN_PASSWORD.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
