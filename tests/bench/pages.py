#!/usr/bin/env python3
"""How long the console's pages take at the server with a million decisions stored.

    cargo build --profile dist
    python3 tests/bench/pages.py [--decisions N] [--store sqlite|postgres]

Fills a store of its own in a temporary folder by SQL, counts it as the migration counts what was there before, starts
the released binary on it, asks for every page over loopback, and prints the median and the longest time of each with its
size, and how long the command `report` takes. Ends by itself; a page over 50 ms or a first page over 100 kB makes the
exit code 1.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/dist/starwarden"
POLICY = ROOT / "config/policy/star.toml"
DAY = 86_400_000
TICKETS_EACH = 4  # decisions a ticket
VARIANTS = 25  # of where a case's facts were read
CASES = [
    {"trial": "yes", "sales_assisted": "no"},
    {"trial": "yes", "sales_assisted": "yes", "expires_at": "2027-06-01"},
    {"trial": "yes", "sales_assisted": "yes", "expires_at": "2026-01-01"},
    {"trial": "no", "in_grace": "yes", "grace_ends_at": "2027-06-01"},
    {"trial": "no", "in_grace": "yes", "grace_ends_at": "2026-01-01"},
    {"trial": "no", "in_grace": "no", "expires_at": "2027-06-01"},
    {"trial": "no", "in_grace": "no", "expires_at": "2026-01-01"},
    {"request": "wrong_product", "sales_intervened": "yes"},
    {"request": "wrong_product"},
    {"request": "force_reassociate", "edge_case": "yes"},
    {"request": "force_reassociate"},
    {"trial": "no"},
]
PAGES = [
    "/", "/tickets", "/tickets?show=verdict-needs_facts", "/tickets?show=verdict-ok_to_star", "/tickets?show=changing", "/tickets?show=failed", "/tickets?show=stopped",
    "/tickets?find=4242", "/tickets?find=nobody",
    "/tickets/global/4242", "/decisions", "/decisions?verdict=no_need", "/decisions?node=Exp&since=2020-01-01",
    "/policy?days=1", "/policy?days=30", "/policy?days=365", "/shadow", "/promotion", "/backtest", "/try", "/record",
    "/report", "/report?days=7", "/report?days=92", "/report?days=365",
    "/api/v1/decisions", "/api/v1/decisions?verdict=ok_to_star&node=H", "/api/v1/tickets/global/4242",
]


def samples():
    """The decisions that the cases come to, as the loop would keep them: number, walk, policy, verdict, nodes, decision, note, basis."""
    lines = "\n".join(json.dumps({"id": str(n), "facts": case}) for n, case in enumerate(CASES))
    each = [BINARY, "decide", "--policy", POLICY, "--each", "-", "--now", "2026-11-24T12:00:00Z"]
    decided = subprocess.run(each, input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    for walk, (case, line) in enumerate(zip(CASES, decided), start=1):
        decision = json.loads(line)
        decision.pop("id")
        facts = [f"--fact={name}={value}" for name, value in case.items()]
        note = subprocess.run([BINARY, "decide", "--policy", POLICY, *facts], capture_output=True, text=True, check=True).stdout
        known = {n: {"known": {"value": v, "trust": "stated", "source": "Ann Agent, note", "quote": None}} for n, v in case.items()}
        basis = {"subject": f"Please extend our licence, case {walk}", "organization": "Acme", "facts": known}
        walked = json.dumps(decision["walked"], separators=(",", ":"))
        for variant in range(VARIANTS):
            for nth, answered in enumerate(decision["path"]):
                answered |= {"trust": "recorded", "source": f"field {variant * (nth + 1) % 23}: stated"}
            number = walk + variant * len(CASES)
            yield number, walk, decision["policy"], decision["verdict"], walked, json.dumps(decision), note, json.dumps(basis)


def statements(decisions, numbers, now):
    """The fill, in SQL that both stores take; `numbers` gives the column i from 0."""
    start, step = now - 365 * DAY, max(1, 364 * DAY // decisions)
    tickets = decisions // TICKETS_EACH
    at = f"{start} + i * {step}"
    yield "INSERT INTO walks (id, policy, verdict, nodes) SELECT DISTINCT walk, policy, verdict, nodes FROM samples"
    yield f"""INSERT INTO decisions (account, ticket, reference, decided_at, verdict, fingerprint, decision, note, carried, posted_at, basis, walk)
        SELECT 'global', 1 + i % {tickets}, 'R' || i, {at}, verdict, 'f', decision, note, 'posted', {at} + 1000 * (3 + i % 240), basis, walk
        FROM {numbers(decisions)} JOIN samples ON number = 1 + i % {len(CASES) * VARIANTS}"""
    yield f"""INSERT INTO tallies (day, walk, decisions)
        SELECT ({at}) / {DAY} AS day, 1 + i % {len(CASES)} AS walk, count(*) FROM {numbers(decisions)} GROUP BY 1, 2"""
    yield f"""INSERT INTO watches (account, ticket, state, due_at, why, verdict, decided_at, valid_until, subject)
        SELECT 'global', 1 + i, CASE WHEN i % 997 = 0 THEN 'dead' WHEN i % 5 = 0 THEN 'stopped' WHEN i % 3 = 0 THEN 'due' ELSE 'idle' END,
               CASE WHEN i % 997 <> 0 AND i % 5 <> 0 AND i % 3 = 0 THEN {now} + i * 1000 END,
               CASE WHEN i % 997 = 0 THEN 'answered 500' WHEN i % 5 = 0 THEN 'the ticket is closed' END,
               verdict, {start} + (i + {decisions - tickets}) * {step}, CASE WHEN i % 3 = 0 THEN {now} + i * 30000 END, 'Please extend our licence'
        FROM {numbers(tickets)} JOIN samples ON number = 1 + i % {len(CASES)}"""
    yield f"""INSERT INTO follow_ups (account, ticket, reference, kind, destination, state, due_at, settled_at, told)
        SELECT 'global', 1 + i % {tickets}, 'R' || i, 'star_issue', 'star_issue',
               CASE WHEN i % 4999 = 0 THEN 'dead' WHEN i % 97 = 0 THEN 'due' ELSE 'done' END, {now}, {at}, 'issue #1'
        FROM {numbers(decisions)} WHERE i % 3 = 0"""
    yield f"""INSERT INTO deliveries (account, ticket, key, kind, received_at)
        SELECT 'global', 1 + i % {tickets}, 'k' || i, 'zen:event-type:ticket.tags_changed', {at} FROM {numbers(decisions)}"""
    yield f"""INSERT INTO feedback (account, ticket, reference, verdict, decided_at, key, opinion, detail, who, said_at, way)
        SELECT account, ticket, reference, verdict, decided_at, 'tag ' || id, CASE WHEN id % 70 = 0 THEN 'disagree' ELSE 'agree' END,
               CASE WHEN id % 70 = 0 THEN 'The customer had written that before.' ELSE '' END, 'Ann Agent', decided_at + 900000, 'tag'
        FROM decisions WHERE id % 10 = 0"""


def counting(store):
    """What the migration counts of the decisions that are there."""
    text = (ROOT / f"src/store/migrations/{store}/0013_sums.sql").read_text()
    return text[text.index("-- What was decided before, counted.") :]


SAMPLES = "CREATE TABLE samples (number INTEGER, walk INTEGER, policy TEXT, verdict TEXT, nodes TEXT, decision TEXT, note TEXT, basis TEXT)"


def fill_sqlite(file, decisions, now):
    store = sqlite3.connect(file)
    store.execute("PRAGMA synchronous = OFF")
    store.execute(SAMPLES)
    store.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?)", samples())
    numbers = lambda n: f"(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {n - 1}) SELECT i FROM n)"
    for statement in statements(decisions, numbers, now):
        store.execute(statement)
    store.execute("DROP TABLE samples")
    store.commit()
    begun = time.perf_counter()
    store.executescript(counting("sqlite"))
    print(f"counted in {time.perf_counter() - begun:.0f} s")
    store.close()


def fill_postgres(psql, decisions, now):
    quoted = lambda value: str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
    rows = ", ".join("(" + ", ".join(map(quoted, row)) + ")" for row in samples())
    numbers = lambda n: f"(SELECT i::bigint FROM generate_series(0, {n - 1}) AS i) AS n"
    script = [SAMPLES, f"INSERT INTO samples VALUES {rows}", *statements(decisions, numbers, now), "DROP TABLE samples"]
    run = {"text": True, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(psql, input=";\n".join(script) + ";", **run)
    begun = time.perf_counter()
    subprocess.run([*psql, "--single-transaction"], input=counting("postgres"), **run)
    print(f"counted in {time.perf_counter() - begun:.0f} s")
    subprocess.run(psql, input="VACUUM ANALYZE;", **run)


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def postgres(folder):
    """A server of our own on a free port; its address."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*user, programs / "initdb", "-D", data, "-U", "starwarden", "-A", "trust", "-E", "UTF8"], **quiet)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c shared_buffers=256MB -c max_wal_size=8GB"
    subprocess.run([*user, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start"], **quiet)
    try:
        yield f"postgres://starwarden@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*user, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"], **quiet)


@contextlib.contextmanager
def serving(folder, url):
    """The release binary on the store; its address."""
    config = folder / "starwarden.toml"
    config.write_text(
        f'[server]\nlisten = "127.0.0.1:0"\n[store]\nurl = "{url}"\n[policy]\nfile = "{POLICY}"\n[accounts.global]\n'
        'base_url = "http://127.0.0.1:9"\nwebhook_secrets = ["s"]\ncatch_up_every = "off"\n[accounts.global.auth]\noauth_token = "t"\n'
    )
    environment = {**os.environ, "RUST_LOG": "off"}
    child = subprocess.Popen([BINARY, "serve", "--config", config], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield re.search(r"http://\S+", child.stdout.readline()).group()
    finally:
        child.terminate()
        child.wait(timeout=30)


def asked(url):
    begun = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:
        size = len(answer.read())
    return 1000 * (time.perf_counter() - begun), size


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--decisions", type=int, default=1_000_000)
    arguments.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    given = arguments.parse_args()
    now, good = int(time.time() * 1000), True
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(postgres(folder)) if given.store == "postgres" else f"sqlite:{folder / 'star.db'}"
        with serving(folder, url):
            pass  # It makes the schema.
        begun = time.perf_counter()
        if given.store == "postgres":
            fill_postgres(["psql", "-q", "-v", "ON_ERROR_STOP=1", url], given.decisions, now)
        else:
            fill_sqlite(folder / "star.db", given.decisions, now)
        print(f"{given.store}: {given.decisions:,} decisions filled in {time.perf_counter() - begun:.0f} s")
        bot = stack.enter_context(serving(folder, url))
        print(f"{'page':<48} {'median':>9} {'longest':>9} {'size':>9}")
        for page in PAGES:
            asked(bot + page)  # The first read fills the database's own memory.
            times, sizes = zip(*(asked(bot + page) for _ in range(30)))
            good = good and statistics.median(times) < 50 and (page != "/" or sizes[0] < 100_000)
            print(f"{page:<48} {statistics.median(times):>6.1f} ms {max(times):>6.1f} ms {sizes[0] / 1000:>6.1f} kB")
        begun = time.perf_counter()
        report = [BINARY, "report", "--config", folder / "starwarden.toml", "--format", "json"]
        counted = json.loads(subprocess.run(report, capture_output=True, check=True).stdout)["decisions"]
        print(f"the report on all {counted:,} decisions: {time.perf_counter() - begun:.1f} s")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
