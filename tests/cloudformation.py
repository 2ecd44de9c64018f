"""Read a template as CloudFormation would: parameters filled in, conditions decided.

Only what the project's templates use. What a resource is told only once it exists (`!GetAtt`, a
`!Ref` to it) stands as `<Resource>` or `<Resource.Attribute>`.
"""

import re
from functools import cache
from typing import Any

import yaml

from tgpipeline.deploy import templates

PSEUDO = {
    "AWS::Region": "us-east-1",
    "AWS::AccountId": "123456789012",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/aurora-ingest/the-guid",
    "AWS::StackName": "aurora-ingest",
}
NO_VALUE = object()
GIVEN = {
    "Name": "aurora",
    "RawBucket": "aurora-raw",
    "EnrichedBucket": "aurora-enriched",
    "CodeBucket": "aurora-code",
    "CodeKey": "functions/x.zip",
    "ChatIds": "-42",
    "WebhookSecret": "secret",
    "FirstDay": "2025-11-10",
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms: `!Ref x` becomes `{"Ref": "x"}`."""


def _short(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    build = {
        yaml.ScalarNode: loader.construct_scalar,
        yaml.SequenceNode: lambda n: loader.construct_sequence(n, deep=True),
        yaml.MappingNode: lambda n: loader.construct_mapping(n, deep=True),
    }[type(node)]
    return {tag if tag in ("Ref", "Condition") else f"Fn::{tag}": build(node)}


_Loader.add_multi_constructor("!", _short)


@cache
def load(stage: str) -> dict[str, Any]:
    """A template as it stands."""
    found: dict[str, Any] = yaml.load(templates.template(stage), _Loader)
    return found


def resources(stage: str, **parameters: Any) -> dict[str, Any]:
    """A template's resources as they are made with these parameters."""
    template = load(stage)
    defaults = {k: p.get("Default") for k, p in template["Parameters"].items()}
    values = PSEUDO | defaults | {k: v for k, v in GIVEN.items() if k in defaults} | parameters
    conditions: dict[str, bool] = {}
    for name, condition in template.get("Conditions", {}).items():
        conditions[name] = _resolve(condition, values, conditions)
    return {
        name: _resolve(resource, values, conditions)
        for name, resource in template["Resources"].items()
        if conditions.get(resource.get("Condition"), True)
    }


def of_type(kind: str, stage: str, **parameters: Any) -> dict[str, Any]:
    """The properties of all resources of one type."""
    found = resources(stage, **parameters).items()
    return {name: r["Properties"] for name, r in found if r["Type"] == kind}


def _resolve(node: Any, values: dict[str, Any], conditions: dict[str, bool]) -> Any:
    def again(part: Any) -> Any:
        return _resolve(part, values, conditions)

    if isinstance(node, list):
        return [found for part in node if (found := again(part)) is not NO_VALUE]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        ((key, argument),) = node.items()
        if key == "Ref":
            return NO_VALUE if argument == "AWS::NoValue" else _ref(argument, values)
        if key == "Fn::GetAtt":
            return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"
        if key == "Fn::If":
            return again(argument[1 if conditions[argument[0]] else 2])
        if key == "Fn::Not":
            return not again(argument[0])
        if key == "Fn::Equals":
            first, second = map(again, argument)
            return str(first) == str(second)
        if key == "Fn::Split":
            return again(argument[1]).split(argument[0])
        if key == "Fn::Join":
            return argument[0].join(again(argument[1]))
        if key == "Fn::Select":
            return again(argument[1])[int(argument[0])]
        if key == "Fn::Sub":
            text, more = argument if isinstance(argument, list) else (argument, {})
            known = values | {k: again(v) for k, v in more.items()}
            return re.sub(r"\$\{([^!}]+)\}", lambda m: str(_ref(m[1], known)), text).replace(
                "${!", "${"
            )
    found = {key: again(part) for key, part in node.items()}
    return {key: part for key, part in found.items() if part is not NO_VALUE}


def _ref(name: str, values: dict[str, Any]) -> Any:
    found = values.get(name, f"<{name}>")
    return found.split(",") if name == "TelegramRanges" else found
