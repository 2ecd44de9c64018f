"""What Athena knows: a database, the two tables, and a workgroup that limits what a query costs.

The tables are made through Glue's API rather than by running their DDL in Athena: a table can then
be changed in place when a column is added, nothing needs a place for results, and an unchanged
table is recognised. The DDL says the same in SQL, for reading and for the console.
"""

from collections.abc import Iterator
from typing import Any

from tgpipeline.analytics.athena import RESULTS
from tgpipeline.deploy.cloud import Cloud, Resource, Target, covers
from tgpipeline.deploy.deployment import Deployment
from tgpipeline.lake import keys
from tgpipeline.lake.columns import TABLES, Column

FIRST_DAY = "2013-08-14"  # no message is older: the day Telegram started
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"


def parameters(table: str, settings: Deployment) -> dict[str, str]:
    """The table's properties: each day is a folder whose name can be worked out, none is listed.

    A zone ahead of UTC is already in tomorrow, and `NOW` is UTC: hence the day added
    (https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html).
    """
    return {
        "EXTERNAL": "TRUE",
        "classification": "parquet",
        "projection.enabled": "true",
        "projection.context_date.type": "date",
        "projection.context_date.format": "yyyy-MM-dd",
        "projection.context_date.range": f"{FIRST_DAY},NOW+1DAYS",
        "projection.context_date.interval": "1",
        "projection.context_date.interval.unit": "DAYS",
        "storage.location.template": f"{location(table, settings)}context_date=${{context_date}}/",
    }


def location(table: str, settings: Deployment) -> str:
    """Where a table's Parquet lies."""
    return f"s3://{settings.enriched_bucket}/{keys.RAW}/{table}/"


def table_input(table: str, settings: Deployment) -> dict[str, Any]:
    """A table as Glue's API spells it (https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html)."""
    columns = [
        {"Name": column.name, "Type": column.athena_type, "Comment": _comment(column)}
        for column in TABLES[table]
    ]
    return {
        "Name": table,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters(table, settings),
        "PartitionKeys": [
            {"Name": "context_date", "Type": "date", "Comment": "day of the event, local"}
        ],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location(table, settings),
            "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
            "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
                "Parameters": {"serialization.format": "1"},
            },
        },
    }


def ddl(table: str, settings: Deployment) -> str:
    """The same table in SQL, as it could be run in Athena's console.

    Source: https://docs.aws.amazon.com/athena/latest/ug/create-table.html
    """
    columns = ",\n".join(
        f"  `{column.name}` {column.athena_type} COMMENT '{_comment(column)}'"
        for column in TABLES[table]
    )
    described = {k: v for k, v in parameters(table, settings).items() if k != "EXTERNAL"}
    properties = ",\n".join(f"  '{key}' = '{value}'" for key, value in described.items())
    return (
        f"CREATE EXTERNAL TABLE IF NOT EXISTS `{settings.database}`.`{table}` (\n{columns}\n)\n"
        "PARTITIONED BY (`context_date` date COMMENT 'day of the event, local')\n"
        "STORED AS PARQUET\n"
        f"LOCATION '{location(table, settings)}'\n"
        f"TBLPROPERTIES (\n{properties}\n)"
    )


def workgroup(settings: Deployment) -> dict[str, Any]:
    """The workgroup's configuration: where results go, and how much one query may read."""
    encryption = {"EncryptionOption": "SSE_S3"}
    if settings.kms_key:
        encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": settings.kms_key}
    return {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "BytesScannedCutoffPerQuery": settings.scan_limit,
        "ResultConfiguration": {
            "OutputLocation": f"s3://{settings.enriched_bucket}/{RESULTS}/",
            "EncryptionConfiguration": encryption,
        },
    }


def ensure_tables(target: Target) -> str:
    """Make database, tables and workgroup.

    Args:
        target: the settings, or the cloud that `deploy.up` works on.

    Returns:
        The database's name.
    """
    cloud = Cloud.of(target)
    cloud.settings.require("enriched_bucket")
    glue, database = cloud.client("glue"), cloud.settings.database
    if cloud.find(glue.get_database, Name=database) is None:
        cloud.change(
            f"create database {database}",
            glue.create_database,
            DatabaseInput={"Name": database, "Description": "tgpipeline: a group's messages"},
            Tags=cloud.tags,
        )
    for table in TABLES:
        wanted = table_input(table, cloud.settings)
        found = cloud.find(glue.get_table, DatabaseName=database, Name=table)
        if not covers((found or {}).get("Table"), wanted):
            cloud.change(
                f"{'create' if found is None else 'update'} table {database}.{table}",
                glue.create_table if found is None else glue.update_table,
                DatabaseName=database,
                TableInput=wanted,
            )
    _ensure_workgroup(cloud)
    return database


def deployed(cloud: Cloud) -> Iterator[Resource]:
    """The workgroup with its queries' history, the tables and the database, of those that exist."""
    name, database = cloud.settings.name, cloud.settings.database
    if _workgroup(cloud):
        yield cloud.resource(
            f"workgroup {name}",
            cloud.arn("athena", f"workgroup/{name}"),
            cloud.client("athena").delete_work_group,
            WorkGroup=name,
            RecursiveDeleteOption=True,
        )
    glue = cloud.client("glue")
    for table in TABLES:
        yield from cloud.existing(
            f"table {database}.{table}",
            cloud.arn("glue", f"table/{database}/{table}"),
            glue.get_table,
            glue.delete_table,
            DatabaseName=database,
            Name=table,
        )
    yield from cloud.existing(
        f"database {database}",
        cloud.arn("glue", f"database/{database}"),
        glue.get_database,
        glue.delete_database,
        Name=database,
    )


def _ensure_workgroup(cloud: Cloud) -> None:
    athena, name = cloud.client("athena"), cloud.settings.name
    wanted, found = workgroup(cloud.settings), _workgroup(cloud)
    if found is None:
        cloud.change(
            f"create workgroup {name}",
            athena.create_work_group,
            Name=name,
            Configuration=wanted,
            Description="tgpipeline",
            Tags=cloud.tag_list,
        )
    elif not covers(found["Configuration"], wanted):
        updates = dict(wanted)
        updates["ResultConfigurationUpdates"] = updates.pop("ResultConfiguration")
        cloud.change(
            f"update workgroup {name}",
            athena.update_work_group,
            WorkGroup=name,
            ConfigurationUpdates=updates,
        )


def _workgroup(cloud: Cloud) -> dict[str, Any] | None:
    found = cloud.find(cloud.client("athena").get_work_group, WorkGroup=cloud.settings.name)
    return found.get("WorkGroup") if found else None


def _comment(column: Column) -> str:
    """The column's meaning, without the one character that ends a text in SQL."""
    return column.meaning.replace("'", "’")
