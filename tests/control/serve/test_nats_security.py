"""The roles over NATS with TLS, passwords and credentials: let in, or told why not in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import slicewright as sw
from slicewright.network.scenario_file import save_scenario
from tests.control.support.certificates import Authority, nats_credentials
from tests.control.support.processes import Served, nats_server, needs_nats, over_nats
from tests.control.support.scenes import scenario_of
from tests.waiting import wait_for

pytestmark = needs_nats


class Deployment:
    """An orchestrator and a process with all managers, each with the same way in."""

    def __init__(self, folder: Path, url: str, *way_in: str) -> None:
        scenario = save_scenario(scenario_of(8, 3), folder / "s.json")
        slices = [word for n in range(3) for word in ("--slice", f"s{n}")]
        common = (*over_nats(url), *way_in, "--rounds", "10", "--epoch", "200ms")
        self.sro = Served((str(scenario), *common, "--role", "sro"), folder / "sro")
        self.managers = Served((*common, "--role", "slice-manager", *slices), folder / "managers")

    def work(self) -> None:
        """Start both, wait until every slice is served, and have the plan judged."""
        for one in (self.sro, self.managers):
            one.start()
        try:
            wait_for(self._settled, "all slices active")
            violations = sw.check(sw.load_scenario(self.sro.get("/v1/scenario")), self.sro.get("/v1/plan"))
            assert violations.feasible, violations.explain()
        finally:
            for one in (self.managers, self.sro):
                one.stop()

    def _settled(self) -> bool:
        slices = (self.sro.get("/v1/slices") or {"slices": []})["slices"]
        return bool(slices) and all(s["state"] == "active" and s["held_revision"] for s in slices)


def refusals(folder: Path, url: str, *way_in: str) -> Iterator[str]:
    """What each role says before it ends by itself with exit code 2."""
    for role in (("--role", "sro"), ("--role", "slice-manager", "--slice", "s0")):
        log = folder / f"refused-{role[1]}"
        log.unlink(missing_ok=True)
        one = Served((*over_nats(url), *way_in, *role), log, flags=())
        one.start()
        said = one.refusal()
        assert "Traceback" not in said
        assert "secret" not in said, "passwords are not repeated"
        yield said


def one_sentence(said: str, *words: str) -> None:
    """The last line, and the only one but for what is said at every start."""
    lines = [line for line in said.splitlines() if not line.startswith(("no --", "dashboard"))]
    assert len(lines) == 1, said
    assert all(word in lines[0] for word in words), said


def test_roles_over_tls_with_a_password(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path, "authority"), Authority(tmp_path, "other")
    certificate, key = authority.sign("server")
    settings = (
        "authorization { user: slices, password: secret }\n"
        f'tls {{ cert_file: "{certificate}", key_file: "{key}" }}\n'
    )
    with nats_server(tmp_path, settings=settings, scheme="tls") as url:
        inside = url.replace("//", "//slices:secret@")
        Deployment(tmp_path, inside, "--nats-ca", str(authority.file)).work()
        for said in refusals(tmp_path, inside, "--nats-ca", str(other.file)):
            one_sentence(said, "no certificate by --nats-ca", "other.pem", "unable to get local issuer")
        for said in refusals(tmp_path, inside):
            one_sentence(said, "no certificate by an authority that this machine trusts")
        wrong = url.replace("//", "//slices:secrets@")
        for said in refusals(tmp_path, wrong, "--nats-ca", str(authority.file)):
            one_sentence(said, "does not let this process in", "Authorization Violation", "--nats")
        for said in refusals(tmp_path, inside, "--nats-ca", str(tmp_path / "none.pem")):
            one_sentence(said, "--nats-ca", "No such file")


def test_roles_with_their_own_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.sign("server")
    mine, secret = authority.sign("me")
    settings = f'tls {{ cert_file: "{certificate}", key_file: "{key}", ca_file: "{authority.file}", verify: true }}\n'
    with nats_server(tmp_path, settings=settings, scheme="tls") as url:
        files = ("--nats-ca", str(authority.file), "--nats-certificate", str(mine))
        Deployment(tmp_path, url, *files, "--nats-key", str(secret)).work()


def test_roles_with_credentials(tmp_path: Path) -> None:
    credentials, settings = nats_credentials(tmp_path, "slices")
    stranger, _ = nats_credentials(tmp_path, "stranger")
    with nats_server(tmp_path, settings=settings) as url:
        Deployment(tmp_path, url, "--nats-credentials", str(credentials)).work()
        for said in refusals(tmp_path, url, "--nats-credentials", str(stranger)):
            one_sentence(said, "does not let this process in", "check --nats-credentials")
