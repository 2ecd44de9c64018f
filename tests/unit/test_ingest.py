"""The ingest function: what each request gets, what is stored, and what is never stored or said."""

import base64
import gzip
import json
import logging
import time

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

import tgpipeline
from tests import payloads as p
from tgpipeline import ingest
from tgpipeline.errors import LakeError, SettingsError, UpdateError
from tgpipeline.lake import keys, stores

SECRET = "current-secret_1"
HEADERS = {"X-Telegram-Bot-Api-Secret-Token": SECRET, "Content-Type": "application/json"}
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_S3_BUCKET": "raw-bucket",
    "TELEGRAM_CHAT_ID": f"{p.SUPERGROUP}, {p.GROUP}, {p.CHANNEL['id']}",
    "TELEGRAM_WEBHOOK_SECRET": SECRET,
    "TIMEZONE": "America/Sao_Paulo",
}


def forget():
    """What a new instance of the function would not know; its S3 client may stay."""
    ingest._settings.cache_clear()
    ingest._our_chats.clear()


@pytest.fixture(scope="module")
def s3():
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        stores.client.cache_clear()
        yield boto3.client("s3")
    stores.client.cache_clear()


@pytest.fixture
def bucket(monkeypatch, s3):
    """An empty raw bucket; gives a function that says what is in it."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    forget()
    s3.create_bucket(Bucket="raw-bucket")

    def content():
        found = s3.list_objects_v2(Bucket="raw-bucket").get("Contents", [])
        return {
            o["Key"]: s3.get_object(Bucket="raw-bucket", Key=o["Key"])["Body"].read() for o in found
        }

    content.client = s3
    yield content
    for key in content():
        s3.delete_object(Bucket="raw-bucket", Key=key)
    s3.delete_bucket(Bucket="raw-bucket")
    forget()


@pytest.fixture
def logged():
    """The lines that the function logs, read back from JSON."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(record.getMessage()))

    handler = Keep()
    stores.json_log("tgpipeline.ingest").addHandler(handler)
    yield lines
    stores.json_log("tgpipeline.ingest").removeHandler(handler)


def post(body, headers=HEADERS, **event):
    if isinstance(body, dict):
        body = json.dumps(body, ensure_ascii=False)
    answer = ingest.lambda_handler({"headers": headers, "body": body, **event}, None)
    assert set(answer) == {"statusCode", "headers", "body"}
    return answer["statusCode"]


def test_the_log_says_how_many_milliseconds_it_took(bucket, logged):
    started = time.perf_counter()
    post(p.text(5))
    assert 0 <= logged[0]["ms"] <= 1_000 * (time.perf_counter() - started) + 0.1


def test_an_update_is_stored_as_it_came(bucket, logged):
    body = '{"update_id":5,  "message": ' + json.dumps(p.message(1, text="até já")) + " }"
    assert post(body) == 200
    assert bucket() == {f"telegram/context_date={p.DAY}/5.json": body.encode()}
    assert logged[0]["outcome"] == "stored"
    assert logged[0]["update_id"] == 5


def test_a_repeat_is_stored_once_and_answered_with_200(bucket, logged):
    assert [post(p.text(5)), post(p.text(5))] == [200, 200]
    assert len(bucket()) == 1
    assert [line["outcome"] for line in logged] == ["stored", "repeated"]


def test_another_update_of_the_same_number_is_stored_beside_it(bucket, logged):
    assert [post(p.text(5)), *(post(p.text(5, "of another bot")) for _ in "12")] == [200] * 3
    assert sorted(bucket().values()) == sorted(map(p.raw, (p.text(5), p.text(5, "of another bot"))))
    assert [line["outcome"] for line in logged] == ["stored", "stored", "repeated"]


@pytest.mark.parametrize("kind", sorted(p.EVENTS))
def test_every_event_is_stored(bucket, kind):
    assert post(p.update(5, kind, p.EVENTS[kind][0])) == 200
    (key,) = bucket()
    assert key.endswith("/5.json")


def test_every_content_is_stored_once(bucket):
    for number, (name, value) in enumerate(sorted(p.CONTENTS.items())):
        assert post(p.update(number, content=p.message(number, **{name: value}))) == 200
    stored = [key for key in bucket() if key.startswith("telegram/")]
    assert len(stored) == len(p.CONTENTS)


def test_an_edit_lies_with_its_message(bucket):
    post(p.text(5))
    later = p.message(5, text="editada", edit_date=p.NOON + 3 * 86_400)
    post(p.update(6, "edited_message", later))
    assert {keys.day_of(key).isoformat() for key in bucket()} == {p.DAY}


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"X-Telegram-Bot-Api-Secret-Token": ""},
        {"X-Telegram-Bot-Api-Secret-Token": None},
        {"X-Telegram-Bot-Api-Secret-Token": SECRET.upper()},
        {"X-Telegram-Bot-Api-Secret-Token": SECRET + " "},
        {"X-Telegram-Bot-Api-Secret-Token": SECRET[:-1]},
        {"X-Telegram-Bot-Api-Secret-Token": "ção"},
        {"X-Telegram-Bot-Api-Secret-Token": "\ud800"},
        {"X-Telegram-Bot-Api-Secret-Token": "x" * 1_000_000},
        {"Authorization": SECRET},
        {"X-Telegram-Bot-Api-Secret-Token": f"{SECRET},{SECRET}"},
    ],
)
def test_without_the_secret_nothing_is_stored(bucket, logged, headers):
    assert post(p.text(5), headers) == 403
    assert post("nonsense", headers) == 403
    assert bucket() == {}
    assert SECRET not in json.dumps(logged)


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title, str.swapcase])
def test_header_names_are_taken_in_any_case(bucket, change):
    headers = {change(name): value for name, value in HEADERS.items()}
    assert post(p.text(5), headers) == 200
    assert len(bucket()) == 1


def test_two_secrets_are_good_while_one_replaces_the_other(bucket, monkeypatch):
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", "new-one, old-one")
    forget()
    for number, (secret, status) in enumerate(
        [("new-one", 200), ("old-one", 200), ("new-one, old-one", 403), ("older", 403)]
    ):
        assert post(p.text(number), {"x-telegram-bot-api-secret-token": secret}) == status
    assert len(bucket()) == 2


def test_another_chat_is_not_stored(bucket, logged):
    assert post(p.text(5, chat={"id": -999, "type": "group", "title": "x"})) == 200
    assert bucket() == {}
    assert (logged[0]["outcome"], logged[0]["chat_id"]) == ("other_chat", -999)


NEW = {"id": -1005555555555, "type": "supergroup", "title": "Clientes"}
OLD = {"id": p.GROUP, "type": "group", "title": "Clientes"}
LEAVING = p.text(1, None, chat=OLD, migrate_to_chat_id=NEW["id"])
ARRIVING = p.text(2, None, chat=NEW, migrate_from_chat_id=OLD["id"])


@pytest.mark.parametrize("order", [[LEAVING, ARRIVING], [ARRIVING, LEAVING], [LEAVING], [ARRIVING]])
@pytest.mark.parametrize("restart", [False, True])
def test_a_group_that_becomes_a_supergroup_stays_ours(bucket, order, restart):
    assert post(p.text(90, chat=NEW)) == 200
    assert bucket() == {}
    for update in order:
        assert post(update) == 200
        if restart:
            forget()
    assert post(p.text(91, chat=NEW)) == 200
    stored = bucket()
    assert f"telegram/context_date={p.DAY}/91.json" in stored
    marker = json.loads(stored[keys.marker_key(keys.MIGRATIONS, NEW["id"])])
    assert marker == {"from": OLD["id"], "to": NEW["id"]}
    assert len(stored) == len(order) + 2


def test_the_migration_of_another_group_changes_nothing(bucket):
    for update in (
        p.text(1, chat={"id": -999}, migrate_to_chat_id=-1000999),
        p.text(2, chat={"id": -1000999}, migrate_from_chat_id=-999),
        p.text(3, chat={"id": -1000999}),
    ):
        assert post(update) == 200
    assert bucket() == {}


@pytest.mark.parametrize("to", [-4999, 5, -1_000_000_000_000, -1_997_852_516_353, 2**40])
def test_only_what_can_be_a_supergroup_is_a_migration(bucket, to):
    group = {"id": p.GROUP, "type": "group"}
    assert post(p.text(1, None, chat=group, migrate_to_chat_id=to)) == 200
    assert [key.split("/")[0] for key in bucket()] == ["telegram"]
    post(p.text(2, chat={"id": to, "type": "supergroup"}))
    assert len(bucket()) == 1


@pytest.mark.parametrize("name", ["requestTimeEpoch", "timeEpoch"])
def test_what_bears_no_date_lies_on_the_day_that_the_gateway_took_it(bucket, name):
    poll = p.update(1, "poll", p.CONTENTS["poll"])
    post(poll, requestContext={name: (p.NOON + 86_400 * 3) * 1000})
    assert list(bucket()) == ["telegram/context_date=2025-12-01/1.json"]


@pytest.mark.parametrize(
    ("days", "place"), [(1, "telegram"), (2, "quarantine"), (900, "quarantine")]
)
def test_what_is_dated_after_tomorrow_is_in_quarantine(bucket, logged, days, place):
    received = {"requestTimeEpoch": (p.NOON + 3_600) * 1000}
    assert post(p.text(1, date=p.NOON + 86_400 * days), requestContext=received) == 200
    assert [key.split("/")[0] for key in bucket()] == [place]
    assert logged[0].get("reason", "").endswith("which is to come") is (place == "quarantine")


@pytest.mark.parametrize(("more", "place"), [(0, "telegram"), (1, "quarantine")])
def test_a_body_may_have_a_mebibyte(bucket, more, place):
    room = 1_048_576 - len(p.raw(p.text(1, "")))
    assert post(p.raw(p.text(1, "x" * (room + more))).decode()) == 200
    assert [key.split("/")[0] for key in bucket()] == [place]


def test_base64_bodies_are_decoded(bucket):
    body = json.dumps(p.text(5)).encode()
    assert post(base64.b64encode(body).decode(), isBase64Encoded=True) == 200
    assert bucket() == {f"telegram/context_date={p.DAY}/5.json": body}


ATTACKS = {
    "empty": ("", "not JSON"),
    "no JSON": ("nonsense", "not JSON"),
    "a form": ("update_id=1&message=x", "not JSON"),
    "XML": ("<update/>", "not JSON"),
    "cut off": ('{"update_id": 1, "message": {"te', "not JSON"),
    "a list": ("[]", "not an object"),
    "a number": ("7", "not an object"),
    "no update_id": ('{"message": {}}', "no update_id"),
    "no content": ('{"update_id": 1}', "no object"),
    "no chat": ('{"update_id": 7, "message": {"text": "x"}}', "without a chat"),
    "chat of another type": (
        '{"update_id": 7, "message": {"chat": {"id": "-5"}}}',
        "without a chat",
    ),
    "deep list": ("[" * 500_000, "nested too deeply"),
    "deep object": ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested too deeply"),
    "100,000 digits": ('{"update_id": ' + "9" * 100_000 + ', "message": {}}', "no update_id"),
    "NUL": ('{"update_id": 1, "message": {"text": "\x00"}}', "not JSON"),
    "NaN": ('{"update_id": 1, "message": {"date": NaN}}', "not JSON"),
    "half a surrogate": ('{"update_id": 1, "message": {"text": "\ud800"}}', "not UTF-8"),
    "BOM": ("\ufeff{}", "not JSON"),
    "oversized": ('{"update_id": 1, "message": {"text": "' + "x" * 1_100_000, "longer than"),
}


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_attacks_are_quarantined_with_a_reason_and_answered_with_200(bucket, logged, name):
    body, reason = ATTACKS[name]
    started = time.perf_counter()
    assert post(body) == 200
    assert time.perf_counter() - started < 1
    ((key, stored),) = bucket().items()
    assert key.startswith("quarantine/context_date=")
    assert stored == body.encode("utf-8", "surrogatepass")
    metadata = bucket.client.head_object(Bucket="raw-bucket", Key=key)["Metadata"]
    assert reason in metadata["reason"]
    assert reason in logged[0]["reason"]
    assert post(body) == 200  # again: the same bytes have the same key
    assert len(bucket()) == 1


@pytest.mark.parametrize(
    "body", [gzip.compress(b'{"update_id": 1}'), b"\xff\xfe\x00", bytes(range(256))]
)
def test_binary_bodies_are_quarantined_untouched(bucket, body):
    assert post(base64.b64encode(body).decode(), isBase64Encoded=True) == 200
    assert list(bucket().values()) == [body]


@pytest.mark.parametrize("body", ["not base64!", "====", "YQ", "ção", None, 5, {"a": 1}, ["x"]])
def test_what_is_not_what_it_claims_to_be_is_quarantined(bucket, body):
    event = {"headers": HEADERS, "body": body, "isBase64Encoded": True}
    assert ingest.lambda_handler(event, None)["statusCode"] == 200
    assert [key.split("/")[0] for key in bucket()] == ["quarantine"]


def test_duplicate_keys_cannot_pass_another_chat_off_as_ours(bucket):
    ours, theirs = (json.dumps(p.message(chat={"id": n}, text="x")) for n in (p.SUPERGROUP, -999))
    assert post(f'{{"update_id": 1, "message": {ours}, "message": {theirs}}}') == 200
    assert bucket() == {}


def test_a_key_cannot_be_forged(bucket):
    post('{"update_id": "../../migrations/-999", "message": {"chat": {"id": -4111222333}}}')
    post(p.update(1, content=p.message(chat={"id": p.GROUP}, migrate_to_chat_id="../-999")))
    assert {key.split("/")[0] for key in bucket()} == {"quarantine", "telegram"}


@pytest.mark.parametrize(
    "event", [{}, {"headers": {}}, {"httpMethod": "GET"}, {"headers": {}, "body": None}]
)
def test_requests_that_are_no_webhook_are_refused(bucket, event):
    assert ingest.lambda_handler(event, None)["statusCode"] == 403
    assert bucket() == {}


def test_a_failed_store_is_answered_with_500_so_that_telegram_sends_it_again(bucket, logged):
    bucket.client.delete_bucket(Bucket="raw-bucket")
    assert post(p.text(5)) == 500
    assert post("nonsense") == 500
    assert post(p.text(6, chat={"id": -999})) == 500  # whether it is ours cannot be told
    assert {line["outcome"] for line in logged} == {"failed"}
    bucket.client.create_bucket(Bucket="raw-bucket")
    assert post(p.text(5)) == 200
    assert len(bucket()) == 1


def test_a_network_that_is_down_is_500_too(bucket):
    def unplugged(**_):
        raise EndpointConnectionError(endpoint_url="https://s3")

    events = stores.client("s3").meta.events
    events.register_first("before-send.s3", unplugged)
    assert post(p.text(5)) == 500
    events.unregister("before-send.s3", unplugged)
    assert post(p.text(5)) == 200


@pytest.mark.parametrize("form", [bytes, str, dict])
def test_a_bot_that_answers_stores_what_it_gets(form, bucket, monkeypatch):
    monkeypatch.delenv("TELEGRAM_WEBHOOK_SECRET")  # it has a webhook of its own, or none
    forget()
    update = p.text(5, "até já 👍")
    given = {bytes: p.raw(update), str: p.raw(update).decode(), dict: update}[form]
    assert tgpipeline.store_update(given)["outcome"] == "stored"
    assert tgpipeline.store_update(given)["outcome"] == "repeated"
    assert tgpipeline.store_update(p.text(6, chat={"id": -999}))["outcome"] == "other_chat"
    ((key, body),) = bucket().items()
    assert key == f"telegram/context_date={p.DAY}/5.json"
    assert json.loads(body) == update
    assert form is dict or body == p.raw(update)
    assert tgpipeline.store_update(b"null")["outcome"] == "quarantined"
    assert tgpipeline.store_update("\ud800")["outcome"] == "quarantined"


def test_what_such_a_bot_says_is_stored_too(bucket):
    sent = p.message(9, text="Já vamos ver!")
    for given in (sent, json.dumps(sent), json.dumps(sent).encode()):
        assert tgpipeline.store_sent(given).startswith(f"telegram/context_date={p.DAY}/sent-")
    assert [json.loads(body) for body in bucket().values()] == [sent]
    assert tgpipeline.store_sent(p.message(9, chat={"id": -999, "type": "group"})) == ""
    assert tgpipeline.store_sent({"message_id": 9}) == "", "a message of no chat"
    assert len(bucket()) == 1


def test_such_a_bot_gets_errors_of_this_package_alone(bucket, monkeypatch):
    def unplugged(**_):
        raise EndpointConnectionError(endpoint_url="https://s3")

    events = stores.client("s3").meta.events
    events.register_first("before-send.s3", unplugged)
    for update in (p.text(5), p.text(6, chat={"id": -999}), {"update_id": 7}):
        with pytest.raises(LakeError, match=r"s3://raw-bucket: could not (write|list) .*endpoint"):
            tgpipeline.store_update(update)
    with pytest.raises(LakeError):
        tgpipeline.store_sent(p.message(9, text="oi"))
    events.unregister("before-send.s3", unplugged)
    with pytest.raises(UpdateError):
        tgpipeline.store_sent("no JSON")
    monkeypatch.delenv("TELEGRAM_CHAT_ID")
    forget()
    with pytest.raises(SettingsError, match="TELEGRAM_CHAT_ID not set"):
        tgpipeline.store_update(p.text(5))


def test_a_missing_setting_raises_so_that_the_alarm_rings(bucket, monkeypatch):
    monkeypatch.delenv("TELEGRAM_WEBHOOK_SECRET")
    forget()
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_SECRET"):
        post(p.text(5))


def test_logs_and_answers_say_no_text_and_no_name(bucket, capsys):
    stores.json_log.cache_clear()
    stores.json_log("tgpipeline.ingest")
    secret_words = "minha senha 123"
    requests = [
        (p.text(1, secret_words), HEADERS),
        (p.text(2, secret_words, chat={"id": -999, "title": "Outro"}), HEADERS),
        (p.update(3, "poll_answer", p.EVENTS["poll_answer"][0]), HEADERS),
        (json.dumps(p.text(4, secret_words))[:-9], HEADERS),
        (json.dumps({"message": p.message(text=secret_words)}), HEADERS),
        (p.text(5, secret_words), {}),
    ]
    for body, headers in requests:
        post(body, headers)
    captured = capsys.readouterr()
    assert captured.out.count("\n") >= len(requests)
    for line in captured.out.splitlines():
        assert json.loads(line)["ms"] >= 0
    for word in ("senha", "Bia", "Nunes", "bia_nunes", "Clientes", "Outro", SECRET):
        assert word not in captured.out + captured.err
    for handler in list(stores.json_log("tgpipeline.ingest").handlers):
        stores.json_log("tgpipeline.ingest").removeHandler(handler)
    stores.json_log.cache_clear()


def command(text, update_id=5, **fields):
    length = len(text.split()[0])
    entities = [{"type": "bot_command", "offset": 0, "length": length}]
    return p.text(update_id, text, entities=entities, **fields)


def call(update):
    return ingest.lambda_handler({"headers": HEADERS, "body": json.dumps(update)}, None)


@pytest.mark.parametrize(
    ("text", "sender", "says"),
    [
        ("/privacy", p.BIA, "Este bot guarda"),
        ("/privacy@ajuda_bot", p.RUI, "This bot stores"),
        ("/PRIVACY please", p.BIA | {"language_code": "fr"}, "This bot stores"),
        ("/forget", p.BIA, "Seu pedido foi anotado"),
    ],
)
def test_privacy_is_answered_through_the_webhook_and_stored(bucket, logged, text, sender, says):
    answer = call(command(text, sender=sender))
    body = json.loads(answer["body"])
    assert answer["statusCode"] == 200
    assert (body["method"], body["chat_id"]) == ("sendMessage", p.SUPERGROUP)
    assert body["text"].startswith(says)
    assert body["reply_parameters"]["message_id"] == 5
    assert f"telegram/context_date={p.DAY}/5.json" in bucket()
    assert logged[0]["outcome"] == "stored"
    assert "reply" not in logged[0]
    asked = [key for key in bucket() if key.startswith("requests/")]
    assert asked == ([f"requests/forget-{p.BIA['id']}.json"] if "forget" in text else [])


def test_privacy_has_the_owners_words_and_days(bucket, monkeypatch):
    monkeypatch.setenv("PRIVACY_TEXT_PT", "Guardamos {how_long}.")
    monkeypatch.setenv("RAW_DAYS", "90")
    forget()
    assert json.loads(call(command("/privacy"))["body"])["text"] == "Guardamos 90 dias."
    english = json.loads(call(command("/privacy", 6, sender=p.RUI))["body"])["text"]
    assert "How long: 90 days." in english
    monkeypatch.setenv("PRIVACY_TEXT", "Ask Ana.")
    forget()
    own = json.loads(call(command("/privacy", 7, sender=p.RUI))["body"])["text"]
    assert own == "Ask Ana."


def test_what_another_bot_is_asked_is_not_answered(bucket, monkeypatch):
    monkeypatch.setenv("TELEGRAM_BOT_USERNAME", "Ajuda_bot")
    forget()
    assert json.loads(call(command("/privacy@other_bot"))["body"]) == {"ok": True}
    assert json.loads(call(command("/forget@other_bot", 6))["body"]) == {"ok": True}
    assert "text" in json.loads(call(command("/privacy@ajuda_bot", 7))["body"])
    assert json.loads(call(p.text(8, "leia /privacy"))["body"]) == {"ok": True}


def test_a_private_message_is_answered_and_not_stored(bucket, logged):
    chat = {"id": p.BIA["id"], "type": "private", "first_name": "Bia"}
    answer = json.loads(call(p.text(5, "olá", chat=chat))["body"])
    assert (answer["chat_id"], answer["text"][:8]) == (p.BIA["id"], "Este bot")
    assert bucket() == {}
    assert logged[0]["outcome"] == "private"
    assert "anotado" in json.loads(call(command("/forget", 6, chat=chat))["body"])["text"]
    assert list(bucket()) == [f"requests/forget-{p.BIA['id']}.json"]


def test_an_anonymous_administrator_leaves_no_request(bucket):
    sender = {"id": 1087968824, "is_bot": True, "first_name": "Group"}
    answer = call(command("/forget", sender=sender, sender_chat=p.CHAT))
    assert json.loads(answer["body"])["text"].startswith("This bot stores")
    assert not any(key.startswith("requests/") for key in bucket())
