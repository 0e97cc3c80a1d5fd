"""A warehouse with the three tables that a snapshot is taken from, filled with random students; a month later some more of them."""

from __future__ import annotations

import random

import duckdb

CONTRACTS = {"MATH": ("alpha", "math"), "READ": ("beta", "reading")}
SCHOOLS = ("0101", "0102", "0103", "0104")
DIMENSIONS = {
    "race_ethnicity": (("black", 40), ("hispanic", 30), ("white", 20), ("asian", 5), ("american_indian", 2)),
    "iep": (("no", 90), ("yes", 10)),
    "english_learner": (("no", 85), ("yes", 15)),
    "provider": (("the one", 1),),
}


def small_warehouse() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema intermediate")
    table = "create table intermediate.int_improvement__"
    connection.execute(f"{table}student (contract_id varchar, student_id varchar, provider_id varchar, subject varchar)")
    connection.execute(f"{table}student_group (contract_id varchar, student_id varchar, dimension varchar, category varchar)")
    connection.execute(f"{table}group_spine (contract_id varchar, dimension varchar, category varchar)")
    connection.execute(
        f"{table}measured_student (contract_id varchar, student_id varchar, line_id varchar, metric_id varchar, numerator double, denominator double)"
    )
    for contract in CONTRACTS:
        for dimension, categories in DIMENSIONS.items():
            for category, _ in categories:
                connection.execute(
                    "insert into intermediate.int_improvement__group_spine values (?, ?, ?)", [contract, dimension, category]
                )
    return connection


def add_students(connection: duckdb.DuckDBPyConnection, chance: random.Random, month: int, count: int) -> None:
    """`count` students more in each contract, most of them with a result of line G1, all with tutoring attendance."""
    students, groups, measured = [], [], []
    for contract, (provider, subject) in CONTRACTS.items():
        for number in range(count):
            student = f"{contract}-{month}-{number}"
            students.append((contract, student, provider, subject))
            groups.append((contract, student, "school", chance.choices(SCHOOLS, (50, 30, 15, 5))[0]))
            for dimension, categories in DIMENSIONS.items():
                names, weights = zip(*categories, strict=True)
                groups.append((contract, student, dimension, chance.choices(names, weights)[0]))
            if chance.random() < 0.9:
                measured.append((contract, student, "G1", "g1", float(chance.random() < 0.5), 1.0))
            sessions = chance.randint(5, 20)
            measured.append((contract, student, None, "tutoring_attendance", float(chance.randint(0, sessions)), float(sessions)))
    for name, rows in [("student", students), ("student_group", groups), ("measured_student", measured)]:
        marks = ", ".join("?" for _ in rows[0])
        connection.executemany(f"insert into intermediate.int_improvement__{name} values ({marks})", rows)
