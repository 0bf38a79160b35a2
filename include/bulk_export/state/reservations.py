"""Reserve quota for runs, and settle or release it.

Who holds how much of which quota day: reserved when a run starts, settled or released when it ends.

A reservation is `held` until its run ends, then `settled` (charged what was delivered) or `released` (charged
nothing). A day's `used` is always the sum of what its reservations hold or were charged. When the run asks again:

| its reservation is | it gets                                                                                     |
|---|---|
| held     | the same grant of the same day, whatever limit and clock say now                                      |
| settled  | the same again, because its directory is there already; what it gave back is held again as far as the |
|          | day still has room                                                                                    |
| released | a new grant of the current day, as if it had never asked: it delivered nothing                        |

A settled run that is run again may deliver contacts that were faulty the first time. They are charged to its own day
even if others have taken what it gave back: the one case in which a day's use may pass the limit, by never more than
the run was granted within the limit once.

Locks are taken in one order, run, reservation, day, so that no two transactions wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Row, func, select, update

from bulk_export.errors import RefusedError
from bulk_export.quota import QuotaPolicy, decide
from bulk_export.state.attempts import lock_attempt
from bulk_export.state.database import insert_missing, transaction
from bulk_export.state.tables import quota_days, reservations


@dataclass(frozen=True, slots=True)
class Grant:
    """What a run may export.

    Attributes:
        granted: contacts, the oldest of those wanted; 0 when the day has nothing left.
        used_before: contacts of the day taken by other runs when this was granted.
        limit: the daily limit then.
        day: the quota day they are charged to.
    """

    granted: int
    used_before: int
    limit: int
    day: date


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a day is taken.

    Attributes:
        used: contacts held or charged, all runs together.
        held: contacts among them that open runs hold and may give back.
    """

    used: int
    held: int


def reserve(
    engine: Engine,
    *,
    run_id: str,
    environment: str,
    day: date,
    wanted: int,
    daily_limit: int,
    policy: QuotaPolicy,
    now: datetime,
    attempt: int | None = None,
) -> Grant:
    """Hold quota for a run, or find what it holds.

    As in the table above, in one transaction.

    Args:
        engine: the state database.
        run_id: the run; a retry asks with the same.
        environment: whose quota.
        day: today in the environment's zone (`quota.quota_day`).
        wanted: contacts the run would export.
        daily_limit: the licence's contacts per day.
        policy: what to do when they do not fit.
        now: aware time.
        attempt: at the run, that asks; None for whoever need not be one.

    Raises:
        RefusedError: QUOTA_EXCEEDED under policy `fail`; nothing is held then.
        LateAttemptError: another attempt has taken the run over, or somebody closed it; nothing is held then.
        ValueError: when `wanted` or `daily_limit` is negative.
    """
    if wanted < 0 or daily_limit < 0:
        raise ValueError("neither contacts nor limits can be negative")
    row = {"environment": environment, "day": day, "state": "held", "daily_limit": daily_limit, "reserved_at": now}
    with transaction(engine) as connection:
        # A task that somebody stops works on for some seconds, while the run's audit is closed and gives quota back.
        if attempt is not None:
            lock_attempt(connection, run_id, attempt)
        # Inserting is the lock: the same run's second request waits here and then finds the first's grant.
        nothing = {"granted": 0, "charged": 0, "used_before": 0}
        if not insert_missing(connection, reservations, {"run_id": run_id} | row | nothing):
            earlier = _lock_reservation(connection, run_id)
            if earlier is not None and earlier.state != "released":
                return _ask_again(connection, earlier)
        used = _lock_day(connection, environment, day)
        granted = decide(wanted=wanted, used=used, daily_limit=daily_limit, policy=policy)
        if granted is None:
            raise _exceeded(wanted, max(0, daily_limit - used), daily_limit, day)  # rolls the insert back
        held = row | {"granted": granted, "charged": granted, "used_before": used}
        connection.execute(update(reservations).where(reservations.c.run_id == run_id).values(held))
        _set_used(connection, environment, day, used + granted)
        return Grant(granted, used, daily_limit, day)


def _ask_again(connection: Connection, row: Row[Any]) -> Grant:
    if row.state == "settled":
        left = max(0, row.daily_limit - _lock_day(connection, row.environment, row.day))
        _charge(connection, row, row.charged + min(row.granted - row.charged, left), state="held")
    return Grant(row.granted, row.used_before, row.daily_limit, row.day)


def _exceeded(wanted: int, left: int, daily_limit: int, day: date) -> RefusedError:
    return RefusedError(
        "QUOTA_EXCEEDED",
        f"{wanted} contacts match, but of the {daily_limit} allowed on {day} only {left} are left",
        hint="Run it on another day, narrow the search, set on_quota_exceeded to continue, or raise the limit.",
    )


def settle(engine: Engine, run_id: str, delivered: int) -> None:
    """Charge a run what it delivered, and release the rest.

    Repeating it changes nothing.

    A run without a reservation (dry run, refused) is left alone. Another figure later replaces the first, and a run
    that was given up and released but delivered after all is charged like any other.

    Raises:
        ValueError: when `delivered` is negative or more than was granted.
    """
    with transaction(engine) as connection:
        settle_within(connection, run_id, delivered)


def release(engine: Engine, run_id: str) -> None:
    """Release everything a run holds.

    It delivered nothing and, run again, asks anew. Repeating it changes nothing.
    """
    with transaction(engine) as connection:
        release_within(connection, run_id)


def usage(engine: Engine, environment: str, day: date) -> Usage:
    """How much of a day is taken."""
    c = reservations.c
    held = select(func.coalesce(func.sum(c.charged), 0).cast(BigInteger))
    held = held.where(c.environment == environment, c.day == day, c.state == "held")
    with transaction(engine, reading=True) as connection:
        used = connection.execute(_used(environment, day)).scalar() or 0
        return Usage(used, connection.execute(held).scalar_one())


def settle_within(connection: Connection, run_id: str, delivered: int) -> int | None:
    """`settle` within the caller's transaction.

    Returns what all runs then use of the day, None without a reservation.
    """
    row = _lock_reservation(connection, run_id)
    if row is None:
        return None
    if not 0 <= delivered <= row.granted:
        raise ValueError(f"{delivered} contacts cannot be charged to a grant of {row.granted}")
    return _charge(connection, row, delivered, state="settled")


def release_within(connection: Connection, run_id: str) -> int | None:
    """`release` within the caller's transaction; returns as `settle_within` does."""
    row = _lock_reservation(connection, run_id)
    return None if row is None else _charge(connection, row, 0, state="released")


def _charge(connection: Connection, row: Row[Any], charged: int, *, state: str) -> int:
    used: int = _lock_day(connection, row.environment, row.day) + charged - row.charged
    this_run = reservations.c.run_id == row.run_id
    connection.execute(update(reservations).where(this_run).values(charged=charged, state=state))
    _set_used(connection, row.environment, row.day, used)
    return used


def _lock_reservation(connection: Connection, run_id: str) -> Row[Any] | None:
    statement = select(reservations).where(reservations.c.run_id == run_id).with_for_update()
    return connection.execute(statement).one_or_none()


def _lock_day(connection: Connection, environment: str, day: date) -> int:
    insert_missing(connection, quota_days, {"environment": environment, "day": day, "used": 0})
    used: int = connection.execute(_used(environment, day).with_for_update()).scalar_one()
    return used


def _used(environment: str, day: date) -> Any:
    return select(quota_days.c.used).where(quota_days.c.environment == environment, quota_days.c.day == day)


def _set_used(connection: Connection, environment: str, day: date, used: int) -> None:
    this_day = (quota_days.c.environment == environment) & (quota_days.c.day == day)
    connection.execute(update(quota_days).where(this_day).values(used=used))
