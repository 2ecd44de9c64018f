"""Bots written with python-telegram-bot and aiogram cannot tell the stand-in from Telegram.

Each kind of bot is driven through one small face, so both libraries have to agree.
"""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from telegram_standin import Telegram

ANA = {"id": 501, "is_bot": False, "first_name": "Ana", "language_code": "pt-br"}
SECRET = "Segredo_de-teste"


@pytest.fixture
def telegram() -> Iterator[Telegram]:
    with Telegram() as running:
        yield running


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Ptb:
    """A client of python-telegram-bot, and bots built with its Application."""

    def __init__(self, telegram: Telegram) -> None:
        self.ext = pytest.importorskip("telegram.ext")
        self.error = pytest.importorskip("telegram.error")
        pytest.importorskip("tornado")
        self.telegram = telegram
        self.errors: dict[str, Any] = {
            "bad": self.error.BadRequest,
            "conflict": self.error.Conflict,
            "flood": self.error.RetryAfter,
            "unauthorized": self.error.InvalidToken,
        }

    @asynccontextmanager
    async def client(self, token: str = "") -> AsyncIterator[Any]:
        bot = self.ext.ExtBot(
            token or self.telegram.token, base_url=f"{self.telegram.url}/bot", defaults=None
        )
        for request in bot._request:
            await request.initialize()
        try:
            yield bot
        finally:
            for request in bot._request:
                await request.shutdown()

    def file(self, content: bytes, name: str) -> Any:
        return pytest.importorskip("telegram").InputFile(content, filename=name)

    def reply(self, message_id: int) -> dict[str, Any]:
        return {"reply_to_message_id": message_id}

    def bot(self, handle: Callable[[str], str]) -> Any:
        builder = self.ext.ApplicationBuilder().token(self.telegram.token)
        app = builder.base_url(f"{self.telegram.url}/bot").build()

        async def answer(update: Any, context: Any) -> None:
            await update.effective_message.reply_text(handle(update.effective_message.text))

        async def pressed(update: Any, context: Any) -> None:
            await update.callback_query.answer()
            await update.callback_query.edit_message_text(handle(update.callback_query.data))

        app.add_handler(self.ext.CommandHandler("oi", answer))
        app.add_handler(self.ext.MessageHandler(self.ext.filters.TEXT, answer))
        app.add_handler(self.ext.CallbackQueryHandler(pressed))
        return app

    @asynccontextmanager
    async def polling(self, handle: Callable[[str], str]) -> AsyncIterator[None]:
        async with self.bot(handle) as app:
            await app.start()
            await app.updater.start_polling(timeout=2)
            yield
            await app.updater.stop()
            await app.stop()

    @asynccontextmanager
    async def hooked(self, handle: Callable[[str], str]) -> AsyncIterator[None]:
        port = free_port()
        async with self.bot(handle) as app:
            await app.start()
            await app.updater.start_webhook(
                listen="127.0.0.1",
                port=port,
                url_path="tg",
                secret_token=SECRET,
                webhook_url=f"http://127.0.0.1:{port}/tg",
            )
            yield
            await app.updater.stop()
            await app.stop()


class Aiogram:
    """A client of aiogram, and bots built with its Dispatcher."""

    def __init__(self, telegram: Telegram) -> None:
        self.aiogram = pytest.importorskip("aiogram")
        self.sessions = pytest.importorskip("aiogram.client.session.aiohttp")
        self.servers = pytest.importorskip("aiogram.client.telegram")
        exceptions = pytest.importorskip("aiogram.exceptions")
        self.telegram = telegram
        self.errors: dict[str, Any] = {
            "bad": exceptions.TelegramBadRequest,
            "conflict": exceptions.TelegramConflictError,
            "flood": exceptions.TelegramRetryAfter,
            "unauthorized": exceptions.TelegramUnauthorizedError,
        }

    @asynccontextmanager
    async def client(self, token: str = "") -> AsyncIterator[Any]:
        server = self.servers.TelegramAPIServer.from_base(self.telegram.url)
        session = self.sessions.AiohttpSession(api=server)
        async with self.aiogram.Bot(token or self.telegram.token, session=session) as bot:
            yield bot

    def file(self, content: bytes, name: str) -> Any:
        return self.aiogram.types.BufferedInputFile(content, name)

    def reply(self, message_id: int) -> dict[str, Any]:
        return {"reply_parameters": self.aiogram.types.ReplyParameters(message_id=message_id)}

    def dispatcher(self, handle: Callable[[str], str]) -> Any:
        dispatcher = self.aiogram.Dispatcher()

        async def answer(message: Any) -> None:
            await message.answer(handle(message.text))

        async def pressed(query: Any) -> None:
            await query.answer()
            await query.message.edit_text(handle(query.data))

        dispatcher.message.register(answer, self.aiogram.F.text)
        dispatcher.callback_query.register(pressed)
        return dispatcher

    @asynccontextmanager
    async def polling(self, handle: Callable[[str], str]) -> AsyncIterator[None]:
        async with self.client() as bot:
            dispatcher = self.dispatcher(handle)
            options = {"handle_signals": False, "handle_as_tasks": False, "polling_timeout": 2}
            task = asyncio.create_task(dispatcher.start_polling(bot, **options))
            await asyncio.sleep(0.3)
            yield
            await dispatcher.stop_polling()
            await task

    @asynccontextmanager
    async def hooked(self, handle: Callable[[str], str]) -> AsyncIterator[None]:
        from aiogram.webhook.aiohttp_server import SimpleRequestHandler
        from aiohttp import web

        port = free_port()
        async with self.client() as bot:
            app, dispatcher = web.Application(), self.dispatcher(handle)
            options = {"handle_in_background": False, "secret_token": SECRET}
            SimpleRequestHandler(dispatcher, bot, **options).register(app, path="/tg")
            runner = web.AppRunner(app)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", port).start()
            await bot.set_webhook(f"http://127.0.0.1:{port}/tg", secret_token=SECRET)
            yield
            await runner.cleanup()


Library = Ptb | Aiogram


@pytest.fixture(params=[Ptb, Aiogram], ids=["python-telegram-bot", "aiogram"])
def library(request: pytest.FixtureRequest, telegram: Telegram) -> Library:
    made: Library = request.param(telegram)
    return made


class Receiver:
    """A webhook that answers as planned, then with 200."""

    reasons: ClassVar[dict[int, str]] = {200: "OK", 403: "Forbidden", 500: "Internal Server Error"}

    def __init__(self) -> None:
        self.plan: list[int] = []
        self.got: list[tuple[int, dict[str, str], Any]] = []

    async def __aenter__(self) -> "Receiver":
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head)}
                body = await reader.readexactly(int(headers["content-length"]))
                status = self.plan.pop(0) if self.plan else 200
                self.got.append((status, headers, json.loads(body)))
                answer = f"HTTP/1.1 {status} {self.reasons[status]}\r\nContent-Length: 0\r\n\r\n"
                writer.write(answer.encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def run(scene: Callable[[], Awaitable[None]], seconds: float = 40) -> None:
    async def limited() -> None:
        async with asyncio.timeout(seconds):
            await scene()

    asyncio.run(limited())


@pytest.mark.parametrize("way", ["polling", "hooked"])
def test_a_whole_bot_answers_what_people_write(
    library: Library, telegram: Telegram, way: str
) -> None:
    seen: list[str] = []

    def handle(text: str) -> str:
        seen.append(text)
        return f"eco: {text}"

    async def scene() -> None:
        async with getattr(library, way)(handle):
            asked = [telegram.say(ANA, text) for text in ("/oi", "onde está?", "ação 👍")]
            await until(lambda: len(seen) == 3)
            chat = telegram.chat(telegram.group_id)
            await until(lambda: chat.last_id == asked[-1]["message_id"] + 3)
            menu = telegram.post(chat, telegram.bot, {"text": "Qual?"})
            query = {"id": "q1", "from": ANA, "chat_instance": "1", "data": "b1", "message": menu}
            telegram.inject({"callback_query": query})
            await until(lambda: chat.messages[menu["message_id"]]["text"] == "eco: b1")
            assert [m["text"] for m in chat.messages.values() if m["from"]["is_bot"]] == [
                f"eco: {text}" for text in (*seen[:3], "b1")
            ]
            await asyncio.to_thread(telegram.wait_delivered, 10)

    run(scene)
    assert seen == ["/oi", "onde está?", "ação 👍", "b1"]


def test_offsets_limits_and_filters(library: Library, telegram: Telegram) -> None:
    async def scene() -> None:
        async with library.client() as bot:
            for n in range(4):
                telegram.say(ANA, str(n))
            found = await bot.get_updates(timeout=0)
            ids = [update.update_id for update in found]
            assert [update.message.text for update in found] == list("0123")
            rest = await bot.get_updates(offset=ids[1], limit=2, timeout=0)
            assert [update.update_id for update in rest] == ids[1:3]
            tail = await bot.get_updates(offset=-1, timeout=0, allowed_updates=["message_reaction"])
            assert [update.update_id for update in tail] == ids[3:]
            assert list((await bot.get_webhook_info()).allowed_updates) == ["message_reaction"]
            said = telegram.say(ANA, "não vem")
            telegram.react(ANA, said["message_id"], "🔥")
            (update,) = await bot.get_updates(offset=ids[3] + 1, timeout=0, allowed_updates=[])
            assert update.message_reaction.new_reaction[0].emoji == "🔥"
            telegram.react(ANA, said["message_id"])
            left = await bot.get_updates(offset=update.update_id + 1, timeout=0)
            assert len(left) == 0
            assert not (await bot.get_webhook_info()).allowed_updates

    run(scene)


def test_who_am_i_and_where(library: Library, telegram: Telegram) -> None:
    async def scene() -> None:
        async with library.client() as bot:
            me = await bot.get_me()
            assert (me.id, me.username) == (telegram.bot["id"], "loja_aurora_bot")
            chat = await bot.get_chat(telegram.group_id)
            assert chat.title == "Suporte Loja Aurora"
            statuses = {m.status for m in await bot.get_chat_administrators(telegram.group_id)}
            assert {str(getattr(s, "value", s)) for s in statuses} == {"administrator", "creator"}
            assert (await bot.get_chat_member(telegram.group_id, me.id)).can_delete_messages
            assert await bot.send_chat_action(telegram.group_id, "typing")

    run(scene)


def test_a_document_is_sent_with_its_caption(library: Library, telegram: Telegram) -> None:
    page = "<html>olá</html>".encode()

    async def scene() -> None:
        async with library.client() as bot:
            asked = telegram.say(ANA, "e o relatório?")
            sent = await bot.send_document(
                telegram.group_id,
                library.file(page, "relatório.html"),
                caption="<b>Junho</b>",
                parse_mode="HTML",
                **library.reply(asked["message_id"]),
            )
            document = sent.document
            assert (document.file_name, document.mime_type) == ("relatório.html", "text/html")
            assert document.file_size == len(page) == 17
            assert (sent.caption, sent.caption_entities[0].length) == ("Junho", 5)
            assert sent.reply_to_message.message_id == asked["message_id"]
            again = await bot.send_document(telegram.group_id, document.file_id)
            assert again.document.file_unique_id == document.file_unique_id
            assert telegram.files[document.file_id] == ("relatório.html", page)
            with pytest.raises(library.errors["bad"], match=r"(?i)file must be non-empty"):
                await bot.send_document(telegram.group_id, library.file(b"", "vazio.txt"))

    run(scene)


def test_the_older_poll_gets_the_conflict(library: Library, telegram: Telegram) -> None:
    async def scene() -> None:
        async with library.client() as first, library.client() as second:
            older = asyncio.create_task(first.get_updates(timeout=20))
            await asyncio.sleep(0.3)
            newer = asyncio.create_task(second.get_updates(timeout=1))
            with pytest.raises(library.errors["conflict"], match="terminated by other getUpdates"):
                await older
            assert len(await newer) == 0

    run(scene)


def test_errors_are_those_that_libraries_know(library: Library, telegram: Telegram) -> None:
    async def scene() -> None:
        async with library.client() as bot:
            with pytest.raises(library.errors["bad"], match="hat not found"):
                await bot.send_message(424242, "oi")
            telegram.fault("sendMessage", status=429, retry_after=9)
            with pytest.raises(library.errors["flood"]) as caught:
                await bot.send_message(telegram.group_id, "oi")
            wait = caught.value.retry_after
            assert getattr(wait, "total_seconds", lambda: wait)() == 9
            assert (await bot.send_message(telegram.group_id, "oi")).text == "oi"
            with pytest.raises(library.errors["bad"], match=r"(?i)https url"):
                await bot.set_webhook("http://example.com/hook")
            with pytest.raises(
                library.errors["bad"], match=r"(?i)secret token contains unallowed characters"
            ):
                await bot.set_webhook("http://127.0.0.1:1/", secret_token="não")
        async with library.client("123:unknown-token-of-nobody") as stranger:
            with pytest.raises(library.errors["unauthorized"]):
                await stranger.get_me()

    run(scene)


def test_a_webhook_with_secret_filter_retries_and_pending(
    library: Library, telegram: Telegram
) -> None:
    async def scene() -> None:
        async with library.client() as bot, Receiver() as receiver:
            receiver.plan = [500, 500]
            kinds = ["message", "edited_message"]
            await bot.set_webhook(receiver.url, secret_token=SECRET, allowed_updates=kinds)
            with pytest.raises(library.errors["conflict"], match="webhook is active"):
                await bot.get_updates(timeout=0)
            said = telegram.say(ANA, "ção")
            telegram.react(ANA, said["message_id"], "👍")
            await until(lambda: len(receiver.got) == 3)
            assert [status for status, _, _ in receiver.got] == [500, 500, 200]
            assert len({update["update_id"] for _, _, update in receiver.got}) == 1
            secrets = {h["x-telegram-bot-api-secret-token"] for _, h, _ in receiver.got}
            assert secrets == {SECRET}
            await asyncio.to_thread(telegram.wait_delivered, 5)
            info = await bot.get_webhook_info()
            assert (info.url, info.pending_update_count) == (receiver.url, 0)
            assert info.last_error_date is not None
            assert "500 Internal Server Error" in info.last_error_message
            receiver.plan = [403] * 9
            for n in range(3):
                telegram.say(ANA, str(n))
            await until(lambda: len(receiver.got) == 5)
            assert (await bot.get_webhook_info()).pending_update_count == 3
            assert await bot.delete_webhook() is True
            kept = await bot.get_updates(timeout=0)
            assert [update.message.text for update in kept] == ["0", "1", "2"]
            assert await bot.delete_webhook(drop_pending_updates=True) is True
            assert len(await bot.get_updates(timeout=0)) == 0

    run(scene)
