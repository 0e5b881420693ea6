"""Compares checkov over our plans with checkov over the same stacks in Terraform's own language, and tries a rule for OPA.

For each stack of STACKS: `reconcile plan --json` must be as docs/plan.schema.json says, and checkov must fail the same
(check, resource) pairs over it (framework terraform_plan) as over tests/policy/terraform/STACK/main.tf (framework
terraform), except those of EXCEPTIONS. What it fails is written down in tests/policy/STACK.txt, so that a change shows.
The rules for OPA in docs/plan-json.md must deny what DENIED says.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import regopy

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = ROOT / "tests/policy"
STACKS = ("lab-web", "web-fleet")

EXCEPTIONS = {
    # Checks of data sources: a plan has those that were read already in its prior state alone.
    ("web-fleet", "CKV_AWS_394", "aws_availability_zones.all"),
    # "Has a description" looks whether the argument is there. In a plan every argument is, null or empty.
    ("lab-web", "CKV_AWS_23", "aws_security_group.alb"),
    ("lab-web", "CKV_AWS_23", "aws_security_group.web"),
    ("web-fleet", "CKV_AWS_23", 'aws_vpc_security_group_egress_rule.all["alb"]'),
    ("web-fleet", "CKV_AWS_23", 'aws_vpc_security_group_egress_rule.all["web"]'),
    # "Open to the world" takes a rule without ranges for open; in a plan the ranges are there, and null. The rule refers to
    # a group.
    ("web-fleet", "CKV_AWS_260", "aws_vpc_security_group_ingress_rule.web"),
}
"""What checkov fails over Terraform's language and over no plan, whoever made it: the reasons are in checkov's sources."""

DENIED = {"lab-web": ["aws_security_group.web opens SSH to everyone"], "web-fleet": []}
"""What the rules deny in each stack's first plan."""

Pair = tuple[str, str]


def main() -> None:
    binary, update = sys.argv[1], "--update" in sys.argv
    schema = json.loads((ROOT / "docs/plan.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    wrong: list[str] = []
    for stack in STACKS:
        with tempfile.TemporaryDirectory() as folder:
            plan = pathlib.Path(folder) / "plan.json"
            plan.write_bytes(planned(binary, stack, folder))
            document = json.loads(plan.read_text())
            errors = jsonschema.Draft202012Validator(schema).iter_errors(document)
            wrong += [f"{stack}: {error.json_path}: {error.message}" for error in errors]
            if (messages := denied(document)) != DENIED[stack]:
                wrong.append(f"{stack}: the rules for OPA deny {messages}")
            ours = failed("terraform_plan", "-f", str(plan))
        theirs = failed("terraform", "-d", str(HERE / "terraform" / stack))
        theirs -= {(check, resource) for name, check, resource in EXCEPTIONS if name == stack}
        print(f"{stack}: checkov fails {len(ours)} pairs over our plan, {len(theirs)} over Terraform's language.")
        wrong += [f"{stack}: only over our plan: {' '.join(pair)}" for pair in sorted(ours - theirs)]
        wrong += [f"{stack}: not over our plan: {' '.join(pair)}" for pair in sorted(theirs - ours)]
        text = "".join(f"{check} {resource}\n" for check, resource in sorted(ours))
        expected = HERE / f"{stack}.txt"
        if update:
            expected.write_text(text)
        elif expected.read_text() != text:
            wrong.append(f"{stack}: it is not what {expected.name} says; `cargo xtask policy --update` writes it anew")
    if wrong:
        raise SystemExit("\n".join(wrong))


def planned(binary: str, stack: str, folder: str) -> bytes:
    """Returns the stack's plan on an empty account."""
    plan = [binary, "plan", str(ROOT / "specs" / stack), "--json", "--state-dir", f"{folder}/state"]
    return subprocess.run(plan, check=True, stdout=subprocess.PIPE).stdout


def denied(plan: object) -> list[str]:
    """Returns what the documented rules for OPA deny in a plan; that of deletions also in one that is made up."""
    _, _, rest = (ROOT / "docs/plan-json.md").read_text().partition("```rego\n")
    rules = regopy.Interpreter()
    rules.add_module("plan", rest.partition("```")[0])
    rules.set_input({"resource_changes": [{"address": "aws_lb.a", "type": "aws_lb", "change": {"actions": ["delete"]}}]})
    assert found(rules) == ["aws_lb.a is destroyed"]
    rules.set_input(plan)
    return found(rules)


def found(rules: regopy.Interpreter) -> list[str]:
    (messages,) = rules.query("data.reconcile.deny").results[0].expressions
    return sorted(messages)


def failed(framework: str, *what: str) -> set[Pair]:
    """Returns the pairs of check and resource that checkov fails."""
    scan = [sys.executable, "-m", "checkov.main", "--framework", framework, *what]
    options = ["--output", "json", "--compact", "--quiet", "--skip-download", "--soft-fail"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    output = subprocess.run(scan + options, check=True, stdout=subprocess.PIPE, env=environment).stdout
    reports = json.loads(output)
    pairs: set[Pair] = set()
    for report in reports if isinstance(reports, list) else [reports]:
        # A file that was not understood comes back without results, or among the errors.
        if report.get("results") is None or report["results"].get("parsing_errors"):
            raise SystemExit(f"checkov did not understand {what}: {report}")
        pairs |= {(check["check_id"], check["resource"]) for check in report["results"]["failed_checks"]}
    return pairs


if __name__ == "__main__":
    main()
