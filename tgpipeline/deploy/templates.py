"""The templates in lambda_src/, one per stage, and the parts of them that come from code.

`make templates` fills those parts in: the tables' columns, from `lake.columns`, and the hash in
the name of the API's deployment, which makes CloudFormation deploy a changed API.
"""

import hashlib
import re
from pathlib import Path

from tgpipeline import resources
from tgpipeline.deploy import reasons
from tgpipeline.lake.columns import TABLES

STAGES = ("lake", "batch", "ingest", "etl", "analytics")  # in the order of deployment


def path(stage: str) -> Path:
    """The file of a stage's template."""
    return resources.folder("lambda_src") / f"{stage}.yaml"


def template(stage: str) -> str:
    """The template of a stage.

    Raises:
        DeployError: if the parts that come from code are not what the code says.
    """
    text = path(stage).read_text(encoding="utf-8")
    if text != filled(text):
        raise reasons.refusal("template", stage=stage)
    return text


def parameter_names(stage: str) -> dict[str, str]:
    """The names of a template's parameters → those of the settings that they hold.

    >>> list(parameter_names("lake").items())[:2]
    [('RawBucket', 'raw_bucket'), ('EnrichedBucket', 'enriched_bucket')]
    """
    section = template(stage).partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    names = re.findall(r"^  (\w+):$", section, re.MULTILINE)
    return {name: re.sub(r"\B([A-Z])", r"_\1", name).lower() for name in names}


def section(stage: str, resource: str) -> str:
    """What a template says of one resource, with the comment above it."""
    pattern = rf"(?:^  #.*\n)*^  {resource}:.*\n(?:    .*\n|\n(?=    ))+"
    found = re.search(pattern, template(stage), re.MULTILINE)
    if not found:
        raise reasons.refusal("section", stage=stage, resource=resource)
    return found[0]


def filled(text: str) -> str:
    """A template with the parts that come from code filled in anew."""
    for table, columns in TABLES.items():
        lines = "".join(
            f'            - {{Name: {c.name}, Type: "{c.athena_type}", Comment: "{c.meaning}"}}\n'
            for c in columns
        )
        text = re.sub(rf"(?<=# <{table}>\n)(?:.*\n)*?(?= *# </{table}>)", lines, text)
    # What a deployment copies of the API: the API itself with its policy, its path, its method.
    copied = re.findall(r"^  (?:Api|Path|Method):\n(?:    .*\n)+", text, re.MULTILINE)
    digest = hashlib.sha256(re.sub(r" +#.*", "", "".join(copied)).encode()).hexdigest()
    return re.sub(r"\bDeployment[0-9a-f]{8}\b", f"Deployment{digest[:8]}", text)
