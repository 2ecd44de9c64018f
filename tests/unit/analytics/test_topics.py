"""Problems and questions in messages: the spelling, the definitions, the labelled set."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tgpipeline.analytics import topics
from tgpipeline.analytics.support.discover import discover, rising_terms
from tgpipeline.analytics.topics import definitions
from tgpipeline.analytics.topics.text import is_question, normalise
from tgpipeline.errors import SettingsError

LABELLED = Path(__file__).parents[3] / "data" / "labelled" / "messages.ndjson"
PROBLEMS = [
    "late_delivery", "order_status", "refund", "exchange_return", "defective_product", "payment",
    "coupon", "account_access", "invoice", "stock", "shipping_quote", "cancellation",
]  # fmt: skip
OWN = """
[parking]
title = { pt = "Estacionamento", en = "Parking" }
words = ["estacion*", "vaga de carro", "parking"]
examples = ["onde eu paro o carro?", "tem lugar pra estacionar?", "is there parking?"]

[noise]
words = ["barulh*", "som alto", "noise"]
examples = ["o vizinho tá com som alto de novo", "não dá pra dormir com esse barulho"]
"""


@pytest.fixture(scope="module")
def shop() -> topics.Topics:
    return topics.load()


@pytest.fixture(scope="module")
def labelled() -> pd.DataFrame:
    lines = LABELLED.read_text(encoding="utf-8").splitlines()
    return pd.DataFrame([json.loads(line) for line in lines])


def f1(found: list[set[str]], true: list[set[str]], name: str) -> float:
    pairs = list(zip(found, true, strict=True))
    both = sum(name in f and name in t for f, t in pairs)
    either = sum((name in f) + (name in t) for f, t in pairs)
    return 2 * both / either if either else 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("KD MEU PEDIDOOOO???", "cade meu pedido?"),
        ("vc tb ñ recebeu, né?", "voce tambem nao recebeu, ne?"),
        ("pedido nº 48213", "pedido <pedido>"),
        ("Order no. 99812 hasn't arrived", "order <pedido> has not arrived"),
        ("rastreio BR123456789BR", "rastreio <rastreio>"),
        ("CPF: 123.456.789-09", "cpf <cpf>"),
        ("cnpj 12.345.678/0001-90", "cnpj <cnpj>"),
        ("cep 01310-100", "cep <cep>"),
        ("(11) 98765-4321", "<telefone>"),
        ("paguei R$ 1.129,90 às 14h30 de 12/11", "paguei <valor> as <hora> de <data>"),
        ("veja https://loja.example.com/p?id=1 ou a@b.com.br", "veja <url> ou <email>"),
        ("usei PROMO10 com 30% off", "usei <codigo> com <percento> off"),
        ("bom dia\n\ncadê?", "bom dia. cade?"),
        ("> o que citei\nminha resposta", "minha resposta"),
        ("Где мой заказ?", "где мои заказ?"),
        ("ありがとうございます。どこ？", "ありがとうございます. どこ?"),
        ("मेरा ऑर्डर कहाँ है?", "मेरा ऑर्डर कहाँ है?"),
        ("أَيْنَ طَلَبِي؟", "أين طلبي?"),
        ("סֵפֶר", "ספר"),
        ("می‌خواهم", "می‌خواهم"),
        ("😂😂👍", ""),
        ("", ""),
    ],
)
def test_one_spelling(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_a_wrapped_line_does_not_end_a_sentence() -> None:
    long = "comprei um sofá de três lugares no dia vinte e ainda não recebi"
    assert "." not in normalise(f"{long}\nnada de vocês até agora")


@pytest.mark.parametrize(
    "text",
    [
        "bom dia gente, alguem sabe qnd chega",
        "queria saber do meu pedido",
        "Oi, tudo bem? vocês entregam em Natal",
        "when will it ship",
        "hello, any news on my refund",
        "o prazo é 5 dias úteis, certo?",
        "أين طلبي؟",
        "سفارش من کجاست؟",
        "注文はどこですか？",
    ],
)
def test_questions_with_and_without_a_mark(text: str) -> None:
    assert is_question(normalise(text))


@pytest.mark.parametrize(
    "text",
    [
        "Boa tarde, tudo bem?",
        "quero cancelar",
        "vcs tão de brincadeira né?",
        "posso ajudar em algo mais?",
        "quando chegar eu aviso",
        "what a joke, who does that?",
        "tem 5 dias que espero",
        "",
        "???",
        "🤔",
    ],
)
def test_what_asks_nothing(text: str) -> None:
    assert not is_question(normalise(text))


def test_the_twelve_problems_are_there(shop: topics.Topics) -> None:
    assert list(shop.problems) == PROBLEMS
    assert all(p.title["pt"] and p.title["en"] for p in shop.problems.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("quero meu dinheiro de volta", ["refund"]),
        ("qro meu reenbolso", ["refund"]),
        ("qual o valor do frete pra Maceió", ["shipping_quote"]),
        ("the screen is cracked", ["defective_product"]),
        ("obrigada, já chegou!", []),
        ("kkkkkk", []),
    ],
)
def test_labels(shop: topics.Topics, text: str, expected: list[str]) -> None:
    assert shop.label([text]) == [expected]


def test_two_problems_in_one_message(shop: topics.Topics) -> None:
    (found,) = shop.label(["o copo veio quebrado e também preciso da nota fiscal"])
    assert set(found) == {"defective_product", "invoice"}


def test_late_delivery_says_order_status_too(shop: topics.Topics) -> None:
    (found,) = shop.label(["cadê meu pedido? já está atrasado há dez dias"])
    assert found == ["late_delivery"]


def test_nothing_gives_nothing(shop: topics.Topics) -> None:
    assert shop.label([]) == []
    assert shop.label(["", None, "😀", "?!"]) == [[], [], [], []]
    assert list(shop.table(pd.Series([], dtype=object))) == [
        "is_question", "wants_person", "problem", "problems",
    ]  # fmt: skip


def test_table_keeps_the_index_and_reads_missing_text_as_empty(shop: topics.Topics) -> None:
    given = pd.Series(["quero falar com um atendente", None, float("nan"), "cadê meu pedido?"])
    table = shop.table(given.set_axis([7, 3, 5, 9]))
    assert list(table.index) == [7, 3, 5, 9]
    assert list(table["wants_person"]) == [True, False, False, False]
    assert list(table["is_question"]) == [False, False, False, True]
    assert table.loc[9, "problem"] == "order_status"
    assert table["problem"].isna().tolist() == [True, True, True, False]


def test_the_same_texts_give_the_same_scores_in_any_order(shop: topics.Topics) -> None:
    texts = ["cupom invalido", "meu pix nao caiu", "bom dia", "cupom invalido"]
    first, _ = topics.Topics(*definitions.read_definitions()).judge(texts)
    again, _ = shop.judge(texts[::-1])
    assert first == pytest.approx(again[::-1], abs=1e-9)


def test_long_texts_are_read_to_their_end(shop: topics.Topics) -> None:
    filler = "Moro numa rua tranquila e trabalho o dia todo fora de casa.\n" * 60
    (found,) = shop.label([filler + "Quero o estorno do valor que paguei."])
    assert "refund" in found
    assert shop.label(["a." * 2048, "1" * 4096, "não " * 1000]) == [[], [], []]


def test_own_definitions(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    own = topics.load(path)
    assert list(own.problems) == ["parking", "noise"]
    assert own.problems["noise"].title == {"pt": "noise", "en": "noise"}
    texts = ["tem estacionamento?", "que barulho é esse", "boa tarde a todos", "gosto de pão"]
    assert own.label(texts) == [["parking"], ["noise"], [], []]
    assert not own.table(pd.Series(texts))["wants_person"].any()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[a", "cannot be read"),
        ("", "defines no problem"),
        ("[a]\ntitle = {pt = 'x'}", r"\[a\] needs words or examples"),
        ("[a]\nwords = 'x'", r"\[a\] words has to be a list"),
        ("[a]\nword = ['x']", r"\[a\] may have"),
        ("[a]\nwords = ['$nope x']", "add it to"),
        ("[a]\nwords = ['...']", "no word to look for"),
        ("[a]\nwords = ['x']\nyields_to = ['b']", "yields_to"),
    ],
)
def test_a_wrong_definition_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "topics.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        topics.load(path)


def test_a_missing_definition_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.toml"):
        topics.load(tmp_path / "absent.toml")


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("nota fiscal", "nota da fiscal", True),
        ("nota+fiscal", "nota da fiscal", False),
        ("nota fiscal", "fiscal nota", False),
        ("nota fiscal", "nota. fiscal", False),
        ("nota fiscal", "nota a b c d fiscal", False),
        ("nota ... fiscal", "nota a b c d fiscal", True),
        ("estorn*", "estornaram", True),
        ("=cancelado", "cancelar", False),
        ("cancelado", "cancelar", True),
        ("nota|recibo fiscal", "recibo fiscal", True),
        ("reembolso", "rembolso", True),
        ("reembolso", "embolso", False),
        ("pedido", "predio", True),
    ],
)
def test_the_language_of_phrases(phrase: str, text: str, found: bool) -> None:
    matcher = definitions.Matcher([definitions.parse(phrase, {})])
    assert bool(matcher.find(text)) is found


def test_words_known_to_be_right_are_no_slips() -> None:
    matcher = definitions.Matcher([definitions.parse("pedido", {})], spelled=["predio"])
    assert not matcher.find("predio")


def test_the_labelled_set_is_what_its_guide_says(labelled: pd.DataFrame) -> None:
    assert len(labelled) >= 400
    assert labelled["id"].is_unique
    assert labelled["text"].map(normalise).map(bool).sum() > 480
    assert 0.2 < (labelled["language"] == "en").mean() < 0.3
    assert {p for row in labelled["problems"] for p in row} == set(PROBLEMS)
    assert set(labelled["split"]) == {"dev", "test"}


def test_no_labelled_message_is_among_the_definitions(labelled: pd.DataFrame) -> None:
    read, _ = definitions.read_definitions()
    examples = {normalise(e) for d in read for e in d.examples if len(e.split()) > 4}
    assert not examples & set(labelled["text"].map(normalise))


OTHER_MATTERS = """
how many spoons are in a cup | when does the museum open on mondays | who painted this portrait
is there a bus to the lake | my cousin moved to toronto | what is the tallest tower in asia
the neighbours are having a party | can you sing me something | it snowed all night here
how do I tie a bow tie | which of these films did you like | what's the currency rate today
how long is the flight to oslo | I can't find my glasses | the garden needs rain
quem ganhou a corrida? | que filme passa hoje no cinema? | meu gato subiu no telhado
quanto dura a prova? | vocês gostam de samba? | o museu abre na segunda?
como faço bolo de cenoura? | tem ônibus pra serra? | choveu a noite toda aqui
qual o prédio mais alto daqui? | buenos días, grupo | buenas noches a todos | bonne nuit
hola, buenos días | meu irmão foi morar em recife | quantos jogadores tem um time?
acabou a água do bairro | que horas é a missa? | onde fica a estação de trem?
"""


def test_what_the_definitions_do_not_know_has_no_label(shop: topics.Topics) -> None:
    texts = [text.strip() for line in OTHER_MATTERS.split("\n") for text in line.split("|") if text]
    labels = shop.label(texts)
    assert sum(map(bool, labels)) <= 0.05 * len(texts), dict(zip(texts, labels, strict=True))


@pytest.mark.parametrize(
    "text",
    ["buenos días", "what is the exchange rate", "exchange rate of the dollar today",
     "which currencies do you exchange, and at what rate?"],
)  # fmt: skip
def test_words_alone_are_no_problem(shop: topics.Topics, text: str) -> None:
    assert not {"late_delivery", "exchange_return"} & set(shop.label([text])[0])


@pytest.mark.parametrize(
    ("split", "problems", "questions"), [("dev", 0.9, 0.96), ("test", 0.84, 0.9)]
)
def test_scores_do_not_fall(
    shop: topics.Topics, labelled: pd.DataFrame, split: str, problems: float, questions: float
) -> None:
    part = labelled[labelled["split"] == split]
    table = shop.table(part["text"])
    found, true = list(map(set, table["problems"])), list(map(set, part["problems"]))
    assert sum(f1(found, true, name) for name in PROBLEMS) / len(PROBLEMS) >= problems
    asked, asks = ([{"q"} if q else set() for q in t["is_question"]] for t in (table, part))
    assert f1(asked, asks, "q") >= questions


def test_of_few_sentences_no_groups_are_made() -> None:
    few = [f"a impressora da sala {n} não imprime" for n in "abcdefghijklmnopqrstuvwxyzABC"]
    for said in ([], [""], [None, "😀", "oi"], few):
        frame = discover(said)
        assert list(frame) == ["name", "messages", "share", "examples"]
        assert frame.empty
    nothing_alike = [f"bicho{a}{b}x planta{b}{a}y" for a in "abcdef" for b in "ghijkl"]
    assert discover(nothing_alike)["messages"].max() < len(nothing_alike)


def test_discover_separates_subjects_and_names_them() -> None:
    printer = [f"a impressora da sala {n} não imprime colorido" for n in range(24)]
    coffee = [f"acabou o café da máquina do andar {n}" for n in range(20)]
    parking = [f"tem vaga no estacionamento do bloco {n}?" for n in range(10)]
    texts = printer + coffee + parking
    frame = discover(texts)
    assert frame["messages"].tolist() == [24, 20, 10]
    assert "impressora" in frame["name"][0]
    assert "café" in frame["name"][1]
    assert all(texts[place] == said for place, said in frame["examples"][2])
    pd.testing.assert_frame_equal(frame, discover(texts))


def test_terms_are_written_as_the_group_writes_them() -> None:
    texts = ["A reunião de terça mudou", "reunião de terça cancelada", "reuniao de terça?"] * 5
    texts += [f"assunto número {n} qualquer" for n in range(20)]
    before = ["tudo normal por aqui"] * 30
    assert "reunião de terça" in list(rising_terms(texts, before)["term"])
    assert "terça" not in " ".join(rising_terms(texts, before, ignore=["Terça"])["term"])


def test_what_rises_beyond_chance() -> None:
    before = ["tudo normal por aqui", "que dia lindo", "almoço na firma"] * 20
    now = before[:30] + ["o elevador quebrou"] * 10
    assert "elevador" in rising_terms(now, before)["term"][0]
    assert rising_terms(before, before).empty
    assert rising_terms([], []).empty


def test_how_much_each_kind_of_evidence_weighs(shop: topics.Topics) -> None:
    """Scores of whole texts: they change with every weight, gram and rule of the model."""
    texts = ["meu pix nao caiu e o dinheiro sumiu", "o app trava quando entro na conta"]
    scores, _ = shop.judge(texts)
    assert scores.max(axis=1) == pytest.approx([0.7888, 0.8792], abs=0.004)


def test_how_many_labels_the_thresholds_give(shop: topics.Topics, labelled: pd.DataFrame) -> None:
    said = shop.table(labelled["text"])["problems"].map(len)
    assert said.sum() == pytest.approx(394, abs=2)
    assert (said > 1).sum() == pytest.approx(31, abs=1)


def test_what_is_long_is_read_by_its_sentences(shop: topics.Topics) -> None:
    filler, asks = "moro numa rua tranquila e trabalho o dia todo fora. ", "quero o estorno"
    one, other = (filler * 3 + asks, filler * 4 + asks)
    assert len(one) < topics.LONG < len(other)
    (short,), (long,), (alone,) = (shop.judge([text])[0] for text in (one, other, asks))
    refund = list(shop.problems).index("refund")
    assert long[refund] == pytest.approx(alone[refund])
    assert short[refund] < alone[refund] - 0.01


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("nota fiscal", "nota a b c fiscal", True),
        ("nota ... fiscal", f"nota {'a ' * 12}fiscal", True),
        ("nota ... fiscal", f"nota {'a ' * 13}fiscal", False),
        ("nota ... fiscal", "nota, fiscal", True),
        ("nota ... fiscal", "nota? fiscal", False),
        ("pedido", "pedibo", True),
        ("praia", "praib", False),
        ("ida", "idas", True),
        ("ida", "ido", False),
    ],
)
def test_gaps_slips_and_stems_reach_as_far_as_they_say(phrase: str, text: str, found: bool) -> None:
    assert bool(definitions.Matcher([definitions.parse(phrase, {})]).find(text)) is found


def test_one_or_two_words_without_a_phrase_are_like_anything(shop: topics.Topics) -> None:
    assert shop.label(["a", "this i"]) == [[], []]
