from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Engine, event

from bulk_export.errors import RefusedError
from bulk_export.state.database import open_state
from bulk_export.state.migrate import migrate
from bulk_export.state.reservations import Grant, Usage, release, reserve, settle, usage

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)


def ask(state: Engine, run_id: str = "run/1", wanted: int = 60, **changed: Any) -> Grant:
    given: dict[str, Any] = {"environment": "acme", "day": TODAY, "daily_limit": 100, "policy": "continue", "now": T0}
    return reserve(state, run_id=run_id, wanted=wanted, **(given | changed))


def test_the_first_run_gets_all_the_second_what_is_left_the_third_nothing(state: Engine) -> None:
    assert ask(state, "run/1") == Grant(60, 0, 100, TODAY)
    assert ask(state, "run/2") == Grant(40, 60, 100, TODAY)
    assert ask(state, "run/3") == Grant(0, 100, 100, TODAY)
    assert usage(state, "acme", TODAY) == Usage(used=100, held=100)


def test_truncate_also_gets_what_is_left(state: Engine) -> None:
    assert ask(state, wanted=150, policy="truncate").granted == 100


def test_fail_holds_nothing_when_not_all_fits(state: Engine) -> None:
    ask(state, "run/1")
    with pytest.raises(
        RefusedError, match=r"QUOTA_EXCEEDED: 60 contacts .* 100 allowed on 2026-11-23 only 40 are left"
    ):
        ask(state, "run/2", policy="fail")
    assert usage(state, "acme", TODAY).used == 60
    assert ask(state, "run/2", wanted=40, policy="fail").granted == 40


def test_days_and_environments_do_not_share(state: Engine) -> None:
    ask(state, "run/1", wanted=100)
    assert ask(state, "run/2", day=TOMORROW).granted == 60
    assert ask(state, "run/3", environment="other").granted == 60


def test_a_lowered_limit_grants_nothing_rather_than_less_than_nothing(state: Engine) -> None:
    ask(state, "run/1", wanted=100)
    assert ask(state, "run/2", daily_limit=50).granted == 0


def test_a_retry_gets_the_same_grant_whatever_changed(state: Engine) -> None:
    first = ask(state)
    assert ask(state, wanted=80, day=TOMORROW, daily_limit=10, policy="fail", now=T0 + timedelta(days=1)) == first
    assert usage(state, "acme", TODAY).used == 60
    assert usage(state, "acme", TOMORROW).used == 0


def test_a_retry_of_a_grant_of_nothing_gets_nothing_again(state: Engine) -> None:
    ask(state, "run/1", wanted=100)
    assert ask(state, "run/2").granted == 0
    release(state, "run/1")
    assert ask(state, "run/2").granted == 0


def test_settling_gives_the_rest_back_once(state: Engine) -> None:
    ask(state)
    for _ in range(2):
        settle(state, "run/1", 45)
        assert usage(state, "acme", TODAY) == Usage(used=45, held=0)


def test_settling_another_figure_replaces_the_first(state: Engine) -> None:
    ask(state)
    for delivered in (45, 50, 0, 60):
        settle(state, "run/1", delivered)
        assert usage(state, "acme", TODAY).used == delivered


def test_a_run_is_charged_to_the_day_it_asked(state: Engine) -> None:
    ask(state)
    ask(state, "run/2", day=TOMORROW)
    settle(state, "run/1", 10)
    assert (usage(state, "acme", TODAY).used, usage(state, "acme", TOMORROW).used) == (10, 60)


@pytest.mark.parametrize("delivered", [-1, 61])
def test_a_run_cannot_be_charged_what_it_was_not_granted(state: Engine, delivered: int) -> None:
    ask(state)
    with pytest.raises(ValueError, match=f"{delivered} contacts cannot be charged to a grant of 60"):
        settle(state, "run/1", delivered)


def test_runs_without_a_reservation_settle_and_release_nothing(state: Engine) -> None:
    settle(state, "run/dry", 5)
    release(state, "run/dry")
    assert usage(state, "acme", TODAY) == Usage(0, 0)


@pytest.mark.parametrize("wrong", [{"wanted": -1}, {"daily_limit": -1}])
def test_negative_figures_are_refused(state: Engine, wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        ask(state, **wrong)


def test_a_released_run_that_is_run_again_asks_the_current_day(state: Engine) -> None:
    ask(state)
    for _ in range(2):
        release(state, "run/1")
        assert usage(state, "acme", TODAY) == Usage(0, 0)
    assert ask(state, wanted=80, day=TOMORROW, daily_limit=90) == Grant(80, 0, 90, TOMORROW)
    assert (usage(state, "acme", TODAY).used, usage(state, "acme", TOMORROW).used) == (0, 80)


def test_a_released_run_that_is_refused_keeps_holding_nothing(state: Engine) -> None:
    ask(state)
    release(state, "run/1")
    with pytest.raises(RefusedError, match="QUOTA_EXCEEDED"):
        ask(state, wanted=101, policy="fail")
    assert usage(state, "acme", TODAY) == Usage(0, 0)


def test_a_settled_run_that_is_run_again_holds_what_it_gave_back(state: Engine) -> None:
    first = ask(state)
    settle(state, "run/1", 45)
    assert ask(state, day=TOMORROW) == first
    assert usage(state, "acme", TODAY) == Usage(used=60, held=60)
    settle(state, "run/1", 58)
    assert usage(state, "acme", TODAY) == Usage(used=58, held=0)


def test_a_settled_run_that_is_run_again_takes_nothing_from_others(state: Engine) -> None:
    first = ask(state)
    settle(state, "run/1", 45)
    ask(state, "run/2", wanted=55)
    assert ask(state) == first
    assert usage(state, "acme", TODAY).used == 100


@pytest.mark.faults("at-once")
@pytest.mark.slow
def test_sixteen_processes_are_granted_exactly_the_limit(state_url: str, run_together) -> None:
    script = """
engine, me = open_state(sys.argv[1]), sys.argv[2]
total = 0
for number in range(10):
    grant = reservations.reserve(
        engine, run_id=f"run/{me}/{number}", environment="acme", day=date(2026, 11, 23), wanted=7, daily_limit=1000,
        policy="continue", now=datetime(2026, 11, 23, tzinfo=UTC))
    total += grant.granted
print(total)
"""
    granted = run_together(script, [[state_url, str(number)] for number in range(16)])
    assert sum(map(int, granted)) == 1000
    assert usage(open_state(state_url), "acme", TODAY) == Usage(used=1000, held=1000)


@pytest.mark.faults("at-once")
@pytest.mark.slow
def test_eight_attempts_of_one_run_share_one_grant(state_url: str, run_together) -> None:
    script = """
import json
engine, me = open_state(sys.argv[1]), int(sys.argv[2])
grants = []
for number in range(10):
    grant = reservations.reserve(
        engine, run_id=f"run/{number}", environment="acme", day=date(2026, 11, 23 + me % 2), wanted=7 + me,
        daily_limit=1000, policy="continue", now=datetime(2026, 11, 23, tzinfo=UTC))
    grants.append([grant.granted, str(grant.day)])
print(json.dumps(grants))
"""
    answers = [json.loads(line) for line in run_together(script, [[state_url, str(number)] for number in range(8)])]
    assert all(answer == answers[0] for answer in answers)
    state = open_state(state_url)
    used = usage(state, "acme", TODAY).used + usage(state, "acme", TOMORROW).used
    assert used == sum(granted for granted, _ in answers[0])


RUNS = st.sampled_from([f"run/{number}" for number in range(4)])
DAYS = st.sampled_from([TODAY, TOMORROW])


class QuotaInAnyOrder(RuleBasedStateMachine):
    """Runs that ask, retry, settle, are released and run again, in any order, against a plain account of it."""

    limit = 10

    def __init__(self) -> None:
        super().__init__()
        self.directory = TemporaryDirectory()
        self.state = open_state(f"sqlite:///{Path(self.directory.name)}/state.db")
        event.listen(self.state, "connect", _without_waiting_for_the_disk)
        migrate(self.state)
        self.grants: dict[str, Grant] = {}
        self.charged: dict[str, int] = {}
        self.stands: dict[str, str] = {}
        self.taken_back = {TODAY: 0, TOMORROW: 0}  # charged after it was given back: may pass the limit

    @rule(run_id=RUNS, day=DAYS, wanted=st.integers(0, 15), policy=st.sampled_from(["continue", "truncate", "fail"]))
    def ask(self, run_id: str, day: date, wanted: int, policy: str) -> None:
        stands = self.stands.get(run_id, "released")
        left = max(0, self.limit - self.used(day))
        try:
            grant = ask(self.state, run_id, wanted, day=day, daily_limit=self.limit, policy=policy)
        except RefusedError:
            assert (stands, policy) == ("released", "fail")
            assert wanted > left
            return
        if stands == "released":
            assert grant == Grant(min(wanted, left), self.used(day), self.limit, day)
            self.charged[run_id] = grant.granted
        else:
            assert grant == self.grants[run_id]
        if stands == "settled":
            room = max(0, self.limit - self.used(grant.day))
            self.charged[run_id] += min(grant.granted - self.charged[run_id], room)
        self.grants[run_id] = grant
        self.stands[run_id] = "held"

    @rule(run_id=RUNS, share=st.floats(0, 1))
    def settle(self, run_id: str, share: float) -> None:
        delivered = 0
        if run_id in self.grants:
            delivered = round(self.grants[run_id].granted * share)
            self.taken_back[self.grants[run_id].day] += max(0, delivered - self.charged[run_id])
            self.charged[run_id] = delivered
            self.stands[run_id] = "settled"
        settle(self.state, run_id, delivered)

    @rule(run_id=RUNS)
    def release(self, run_id: str) -> None:
        if run_id in self.grants:
            self.charged[run_id] = 0
            self.stands[run_id] = "released"
        release(self.state, run_id)

    def used(self, day: date, stands: str | None = None) -> int:
        return sum(
            self.charged[run_id]
            for run_id, grant in self.grants.items()
            if grant.day == day and stands in {None, self.stands[run_id]}
        )

    @invariant()
    def a_day_is_used_by_exactly_what_its_runs_hold_or_were_charged(self) -> None:
        for day in (TODAY, TOMORROW):
            assert usage(self.state, "acme", day) == Usage(self.used(day), self.used(day, "held"))

    @invariant()
    def no_day_passes_its_limit_but_by_what_was_taken_back(self) -> None:
        for day, taken_back in self.taken_back.items():
            assert 0 <= usage(self.state, "acme", day).used <= self.limit + taken_back

    def teardown(self) -> None:
        self.directory.cleanup()


def _without_waiting_for_the_disk(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


TestQuotaInAnyOrder = QuotaInAnyOrder.TestCase
TestQuotaInAnyOrder.settings = settings(
    max_examples=15,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],  # a busy disk is no defect
)
