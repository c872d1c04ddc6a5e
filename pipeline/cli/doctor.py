"""`doctor`: whether everything that nights need is well."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict

from pipeline.cli.options import Commands
from pipeline.config import load_settings
from pipeline.errors import ExitCode


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    words = "ask every outlet, place and clock whether it is well, and say what to do where it is not"
    doctor = commands.add_parser("doctor", help=words, description=f"{words.capitalize()}. Nobody is told anything.")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from pipeline.steps.doctor import examine

    findings = []
    for finding in examine(load_settings(os.environ)):
        findings.append(finding)
        if not options.json:
            print(f"{finding.grade:<10} {finding.what}: {finding.words}", flush=True)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    wrong = any(finding.grade == "wrong" for finding in findings)
    return ExitCode.UNEXPECTED if wrong else ExitCode.SOUND
