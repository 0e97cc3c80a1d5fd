"""What senders get wrong, one of each, planted into the landing folder, with a manifest of what should become of it.

Session rows that are planted are of a pilot week before the service dates, so that no payment hangs on them. The manifest
names files and counts, never a value.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from obc_pipeline.home import Home
from obc_pipeline.synthetic import headers
from obc_pipeline.synthetic.assessment_files import MAP_ZIP, map_members, star_reading_table
from obc_pipeline.synthetic.district_files import oneroster_members
from obc_pipeline.synthetic.landing import Landing, Table
from obc_pipeline.synthetic.school_year import DISTRICT_NAME
from obc_pipeline.synthetic.tutoring import MATH
from obc_pipeline.synthetic.vendor_files import GOOGLE_FORM_HEADER

Fate = Literal["refused", "quarantined", "held", "accepted", "duplicate", "waiting"]
MANIFEST = "messy_manifest.json"
_FIRST_ARRIVAL = datetime(2026, 6, 27, 8, 0)
_PILOT_DAY = date(2025, 9, 22)
_BOMB_BYTES = 300 << 20
_TEN_MEGABYTES = 10_000_000
SECOND_MATH_CONTRACT = "CVSD-MATH2-2026"


@dataclass(frozen=True)
class Planted:
    """One thing that is wrong, and what should become of it.

    fate:        refused (nothing of it is used) | quarantined (those rows, the others go on) | held (until a person decides) |
                 accepted | duplicate (the same content again) | waiting (stays in landing).
    quarantined: rows that should be quarantined; of a refused file all its records (None: how many those are is the reader's affair).
    held_by:     who holds it: intake (the file) or models (the students' lines).
    """

    kind: str
    source: str
    file: str
    fate: Fate
    accepted: int = 0
    quarantined: int | None = 0
    held_by: str = ""


class _Plot:
    """Files arrive a minute apart, after everything that is right."""

    def __init__(self, landing: Landing) -> None:
        self.landing = landing
        self.planted: list[Planted] = []
        self.readers = [
            row[0] for row in landing.connection.execute("select distinct local_id from visit_reading order by 1 limit 12").fetchall()
        ]
        self.mathematicians = landing.connection.execute(
            "select local_id, school_id from visit_math group by all having min(on_date) < date '2025-10-20' order by 1 limit 12"
        ).fetchall()

    @property
    def arrives_at(self) -> datetime:
        """When the next file comes."""
        return _FIRST_ARRIVAL + timedelta(minutes=len(self.planted))

    def put(
        self,
        kind: str,
        source: str,
        name: str,
        content: bytes,
        fate: Fate,
        *,
        accepted: int = 0,
        quarantined: int | None = 0,
        held_by: str = "",
    ) -> None:
        """Plants a file as given."""
        self.landing.put(source, f"messy/{name}", self.arrives_at, content)
        self.note(kind, source, name, fate, accepted, quarantined, held_by)

    def zip(
        self,
        kind: str,
        source: str,
        name: str,
        members: dict[str, Table | bytes],
        fate: Fate,
        accepted: int = 0,
        held_by: str = "",
        arrives_at: datetime | None = None,
    ) -> None:
        """Plants a zip."""
        self.landing.zip(source, f"messy/{name}", arrives_at or self.arrives_at, members)
        self.note(kind, source, name, fate, accepted, 0, held_by)

    def note(
        self, kind: str, source: str, name: str, fate: Fate, accepted: int = 0, quarantined: int | None = 0, held_by: str = ""
    ) -> None:
        """Writes down what was planted."""
        self.planted.append(Planted(kind, source, f"messy/{name}", fate, accepted, quarantined, held_by))

    def datas_rows(self, tutor: str) -> list[list[str]]:
        """Twelve sessions of the pilot week in the DATAS layout, distinct by tutor."""
        return [
            [student, "ela", f"{_PILOT_DAY + timedelta(days=number % 5)} {9 + number // 5:02d}:15:00", str(24 + number % 6), "1:3", tutor]
            for number, student in enumerate(self.readers)
        ]

    def full_rows(self, prefix: str) -> list[list[str]]:
        """Twelve sessions of the pilot week in the fuller layout, distinct by session id."""
        rows = []
        for number, (student, school) in enumerate(self.mathematicians):
            day = _PILOT_DAY + timedelta(days=number % 5)
            start, end = f"{day}T14:15:00Z", f"{day}T15:00:00Z"
            session = [f"{prefix}{number:03d}", student, f"BP-{school}-800", "math", f"{day}", start, "45", start, end, start, end, "45"]
            rows.append([*session, "completed", "present", "", "in-person", "1", "1:1", "middle-school-math", school, "4"])
        return rows


def plant(landing: Landing, home: Home) -> list[Planted]:
    """Plants one of each and writes the manifest. Everything that is right must have been written before."""
    plot = _Plot(landing)
    for step in (_headers, _rows, _encodings, _values, _containers, _arrivals, _whole_files, _other_people):
        step(plot)
    _let_two_vendors_claim_one(plot, home)
    manifest = {"planted": [asdict(planted) for planted in plot.planted]}
    (home.path / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return plot.planted


def _headers(plot: _Plot) -> None:
    rows = plot.datas_rows("LR-PILOT-01")
    wrong = ("pupil", "subject", "when", "length", "group", "coach")
    plot.put("wrong_headers", "sessions_lumen", "wrong_headers.csv", _csv(wrong, rows), "refused", quarantined=len(rows))

    swapped = list(headers.SESSIONS_DATAS)
    swapped[2], swapped[3] = swapped[3], swapped[2]
    rows = plot.datas_rows("LR-PILOT-02")
    plot.put("swapped_headers", "sessions_lumen", "swapped_headers.csv", _csv(swapped, rows), "quarantined", quarantined=len(rows))

    order = [5, 3, 0, 1, 4, 2]
    rows = plot.datas_rows("LR-PILOT-03")
    reordered = _csv([headers.SESSIONS_DATAS[i] for i in order], [[row[i] for i in order] for row in rows])
    plot.put("reordered_columns", "sessions_lumen", "reordered_columns.csv", reordered, "accepted", accepted=len(rows))

    rows = plot.full_rows("BP-P1")
    missing = _csv(_without(headers.SESSIONS_FULL, 1), [_without(row, 1) for row in rows])
    plot.put("missing_column", "sessions_brightpath", "missing_column.csv", missing, "refused", quarantined=len(rows))

    rows = plot.full_rows("BP-P2")
    new = _csv([*headers.SESSIONS_FULL, "room"], [[*row, "Library"] for row in rows])
    plot.put("new_column", "sessions_brightpath", "new_column.csv", new, "accepted", accepted=len(rows))


def _rows(plot: _Plot) -> None:
    rows = plot.datas_rows("LR-PILOT-04")
    ragged = [*rows[:4], rows[4][:-2], *rows[5:8], [*rows[8], "extra"], *rows[9:]]
    plot.put(
        "ragged_rows", "sessions_lumen", "ragged_rows.csv", _csv(headers.SESSIONS_DATAS, ragged), "quarantined", accepted=10, quarantined=2
    )

    lines = _csv(headers.SESSIONS_DATAS, plot.datas_rows("LR-PILOT-05")).decode().split("\n")
    lines[6] = '"' + lines[6]
    plot.put("unclosed_quote", "sessions_lumen", "unclosed_quote.csv", "\n".join(lines).encode(), "refused", quarantined=None)

    rows = plot.datas_rows("LR-PILOT-06")
    semicolons = _csv(headers.SESSIONS_DATAS, rows).replace(b",", b";")
    plot.put("wrong_delimiter", "sessions_lumen", "wrong_delimiter.csv", semicolons, "refused", quarantined=len(rows))


def _encodings(plot: _Plot) -> None:
    for kind, number, encode in (
        ("utf_16", 7, lambda text: b"\xff\xfe" + text.encode("utf-16-le")),
        ("byte_order_mark", 8, lambda text: b"\xef\xbb\xbf" + text.encode()),
        ("crlf", 9, lambda text: text.replace("\n", "\r\n").encode()),
    ):
        rows = plot.datas_rows(f"LR-PILOT-{number:02d}")
        plot.put(kind, "sessions_lumen", f"{kind}.csv", encode(_csv(headers.SESSIONS_DATAS, rows).decode()), "accepted", accepted=len(rows))
    tickets = _tickets(plot, 1, "C'était très amusant")
    plot.put(
        "cp1252", "exit_tickets_brightpath", "cp1252.csv", tickets.decode().encode("cp1252"), "accepted", accepted=len(plot.mathematicians)
    )


def _values(plot: _Plot) -> None:
    rows = plot.datas_rows("LR-PILOT-10")
    rows[3][0] = "1.23E+08"
    plot.put("excel_id", "sessions_lumen", "excel_id.csv", _csv(headers.SESSIONS_DATAS, rows), "quarantined", accepted=11, quarantined=1)

    members = map_members(1)
    results = members["AssessmentResults.csv"]
    assert isinstance(results, Table)
    resaved = {
        "TestStartDate": "strftime(t.tested_on, '%-m/%-d/%Y')",
        "TestStartTime": "printf('%d:%02d:%02d AM', 8 + (t.ix * 7 % 4), t.ix * 13 % 60, t.ix * 29 % 60)",
        "FallToWinterConditionalGrowthPercentile": "cast(t.FallToWinter_percentile as varchar) || '.0'",
    }
    members["AssessmentResults.csv"] = replace(results, values={**results.values, **resaved})
    rows_in = _count(plot.landing, results) + _count(plot.landing, members["StudentsBySchool.csv"])
    plot.zip("excel_dates", "nwea_map", MAP_ZIP, members, "accepted", accepted=rows_in)
    # The same file also holds Yes* and No*, which are not booleans.
    plot.note("yes_with_asterisk", "nwea_map", MAP_ZIP, "accepted", accepted=rows_in)

    stars = star_reading_table(plot.arrives_at)
    touched = {
        **{
            f"StudentGrowthPercentile{pair}": f"t.growth_{pair} || '.0'"
            for pair in ("FallFall", "FallWinter", "FallSpring", "WinterSpring")
        },
        "GradeEquivalent": "case when t.ix % 2 = 0 then '> 12.9' else '>12.9' end",
    }
    stars = replace(stars, values={**stars.values, **touched}, rows=stars.rows.replace(" order by", " and t.ix < 40 order by"))
    name = f"{DISTRICT_NAME}.zip"
    plot.zip("float_for_integer", "renaissance_star", name, {"SR.csv": stars}, "accepted", accepted=40)
    plot.note("capped_grade_equivalent", "renaissance_star", name, "accepted", accepted=40)

    tickets = _tickets(plot, 2, "")
    giant = tickets.split(b"\n")
    giant[4] += b"a" * _TEN_MEGABYTES
    rows_left = len(plot.mathematicians) - 1
    plot.put(
        "ten_megabyte_field",
        "exit_tickets_brightpath",
        "ten_megabyte_field.csv",
        b"\n".join(giant),
        "quarantined",
        accepted=rows_left,
        quarantined=1,
    )


def _containers(plot: _Plot) -> None:
    source = next(iter(sorted((plot.landing.path / "nwea_map").glob("2026-06-10/*.zip"))))
    whole = source.read_bytes()
    plot.put("truncated_zip", "nwea_map", "cut_off.zip", whole[: len(whole) * 3 // 5], "refused")
    plot.put("zip_bomb", "oneroster", "oneroster_bomb.zip", _bomb(), "refused")


def _bomb() -> bytes:
    """300 MB of commas in a few hundred bytes. bzip2, since its output is the same everywhere."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_BZIP2) as archive:
        info = zipfile.ZipInfo("users.csv", (2026, 6, 27, 2, 10, 0))
        info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, zipfile.ZIP_BZIP2
        with archive.open(info, "w") as member:
            for _ in range(_BOMB_BYTES >> 20):
                member.write(b"," * (1 << 20))
    return packed.getvalue()


def _arrivals(plot: _Plot) -> None:
    rows = plot.full_rows("BP-P3")
    plot.put("still_being_written", "sessions_brightpath", "brightpath_sessions.csv.part", _csv(headers.SESSIONS_FULL, rows[:5]), "waiting")

    first = sorted((plot.landing.path / "sessions_brightpath").glob("*.csv"))[3]
    plot.put("duplicate_under_another_name", "sessions_brightpath", "sessions (1).csv", first.read_bytes(), "duplicate")


def _whole_files(plot: _Plot) -> None:
    plot.put("empty_file", "sessions_brightpath", "empty.csv", b"", "refused")
    plot.put("header_only", "sessions_brightpath", "header_only.csv", _csv(headers.SESSIONS_FULL, []), "accepted")
    # In March, so that the good export of May follows: the short one is held, and stops nobody for long.
    arrives_at = datetime(2026, 3, 16, 8, 10, tzinfo=UTC)
    members = oneroster_members(arrives_at)
    users = members["users.csv"]
    assert isinstance(users, Table)
    kept = _count(plot.landing, users) // 2
    members["users.csv"] = replace(users, rows=f"{users.rows} limit {kept}")
    plot.zip("short_snapshot", "oneroster", "oneroster.zip", members, "held", accepted=kept, held_by="intake", arrives_at=arrives_at)


def _other_people(plot: _Plot) -> None:
    rows = []
    for number in range(8):
        row = dict.fromkeys(headers.STATE_CANONICAL, "")
        row |= {
            "district_id": "2800999",
            "state_test_id": f"ST2026-9{number:06d}",
            "assessment_family": "State Summative",
            "subject": "math",
        }
        row |= {"tested_grade": "6", "school_year_end": "2026", "admin_window": "Spring", "local_student_id": f"0077{number:04d}"}
        row |= {"scale_score": "441", "level_number": "3", "level_label": "Proficient", "is_proficient": "true", "status": "scored"}
        rows.append([row[name] for name in headers.STATE_CANONICAL])
    content = _csv(headers.STATE_CANONICAL, rows)
    plot.put("other_district", "state_assessment", "state_results_other_district.csv", content, "quarantined", quarantined=len(rows))

    sessions = plot.datas_rows("LR-PILOT-11")
    sessions[0][0] = "99999999"
    content = _csv(headers.SESSIONS_DATAS, sessions)
    plot.put("unknown_student", "sessions_lumen", "unknown_student.csv", content, "held", accepted=len(sessions), held_by="models")


def _let_two_vendors_claim_one(plot: _Plot, home: Home) -> None:
    """A second mathematics contract, with the other provider, and two students on both rosters without shares."""
    text = (home.contracts / f"{MATH.contract_id}.yml").read_text(encoding="utf-8")
    for before, after in (
        (f"contract_id: {MATH.contract_id}", f"contract_id: {SECOND_MATH_CONTRACT}"),
        ("provider_id: brightpath", "provider_id: lumen"),
        ("provider_name: Brightpath Tutoring", "provider_name: Lumen Reading"),
        ("evidence_source: sessions_brightpath", "evidence_source: sessions_lumen"),
    ):
        if before not in text:
            raise ValueError(f"the example contract {MATH.contract_id} no longer says {before!r}; mend the messy district")
        text = text.replace(before, after)
    (home.contracts / f"{SECOND_MATH_CONTRACT}.yml").write_text(text, encoding="utf-8")
    rows = [
        [SECOND_MATH_CONTRACT, student, "", school, "2025-10-06", "", "", "", "", "true"] for student, school in plot.mathematicians[:2]
    ]
    content = _csv(headers.CONTRACT_ROSTER, rows)
    plot.put("two_vendors_one_student", "contract_roster", "second_math_roster.csv", content, "held", accepted=len(rows), held_by="models")


def _tickets(plot: _Plot, pilot: int, text: str) -> bytes:
    rows = []
    for number, (student, school) in enumerate(plot.mathematicians):
        stamp = f"9/{22 + pilot}/2025 10:{number:02d}:00"
        rows.append([stamp, student, f"BP-P{pilot}{number:03d}", f"BP-{school}-800", "Mostly true", "5", "A little true", "Yes", text])
    header = [f'"{name}"' if "," in name else name for name in GOOGLE_FORM_HEADER]
    return _csv(header, rows)


def _csv(header: Iterable[str], rows: Iterable[Iterable[str]]) -> bytes:
    return ("\n".join(",".join(fields) for fields in (header, *rows)) + "\n").encode()


def _without(values: Sequence[str], position: int) -> list[str]:
    return [value for number, value in enumerate(values) if number != position]


def _count(landing: Landing, table: Table | bytes) -> int:
    assert isinstance(table, Table)
    return int(landing.connection.execute(f"select count(*) from ({table.select()})").fetchall()[0][0])
