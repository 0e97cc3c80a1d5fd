"""Puts the district's people into DuckDB tables, from which all files are written."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from obc_pipeline.synthetic.chance import Ints
from obc_pipeline.synthetic.landing import dates, words
from obc_pipeline.synthetic.people import FIRST_NAMES, LAST_NAMES, NEVER, RACES, Schools, Students


def connect(seed: int) -> duckdb.DuckDBPyConnection:
    """An in-memory database with `guid(text)`: an id that looks like a GUID and follows from the seed."""
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = true")
    connection.execute("set memory_limit = '2GB'")
    connection.execute(
        f"""create macro guid(purpose, number) as (
            select substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a' || substr(h, 18, 3) || '-' || substr(h, 21, 12)
            from (select md5('{int(seed)}|' || purpose || '|' || number) as h))"""
    )
    return connection


def register_people(connection: duckdb.DuckDBPyConnection, schools: Schools, students: Students) -> None:
    """Tables `school` (ix, school_id, name, sourced_id, level) and `student`."""
    school = pa.table({"ix": np.arange(len(schools.names)), "school_id": schools.school_ids, "name": schools.names, "level": schools.level})
    connection.register("school_numbers", school)
    connection.execute("create table school as select *, guid('school', ix) as sourced_id from school_numbers order by ix")
    register_students(connection, students, np.arange(len(students)), "student")
    connection.unregister("school_numbers")


def register_students(connection: duckdb.DuckDBPyConnection, students: Students, ix: Ints, table: str) -> None:
    """A table of students: ix, local_id, state_id, sourced_id, names, grade, school, flags, dates. `ix` is the same person's in every table."""
    has_left = students.leaves_on < NEVER
    has_moved = students.moves_on < NEVER
    numbers = pa.table(
        {
            "ix": ix,
            "number": students.number,
            "state_number": students.state_number,
            "grade": students.grade,
            "school": students.school,
            "next_school": students.next_school,
            "first_name": students.first_name,
            "last_name": students.last_name,
            "is_female": students.is_female,
            "race": students.race,
            "born_on": dates(students.born_on),
            "is_el": students.is_el,
            "has_iep": students.has_iep,
            "is_disadvantaged": students.is_disadvantaged,
            "enters_on": dates(students.enters_on),
            "leaves_on": dates(students.leaves_on, has_left),
            "moves_on": dates(students.moves_on, has_moved),
        }
    )
    connection.register("student_numbers", numbers)
    connection.execute(
        f"""create table {table} as select n.* exclude (number, state_number, first_name, last_name, race),
            printf('%08d', number) as local_id, cast(state_number as varchar) as state_id,
            guid('student', ix) as sourced_id,
            {words(FIRST_NAMES)}[first_name + 1] as first_name, {words(LAST_NAMES)}[last_name + 1] as last_name,
            substr('ABCDEFGHJKLMNPRSTW', 1 + ((number + first_name) % 18), 1) as middle_name,
            {words(RACES)}[race + 1] as race
        from student_numbers as n order by ix"""
    )
    connection.unregister("student_numbers")
