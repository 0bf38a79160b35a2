"""The words of the sample's dialogues.

Per language what agents always say, per topic what the contact is about.

Sentences are short because a sample call lasts seconds. All of it is invented.
"""

from __future__ import annotations

from dataclasses import dataclass

Variants = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is said in every dialogue of a language.

    `reactions` by sentiment, in the order of `fields.SENTIMENTS`.
    """

    greeting: Variants
    ask_reference: Variants
    reference: Variants
    reactions: tuple[Variants, Variants, Variants]
    farewell: Variants


@dataclass(frozen=True, slots=True)
class Topic:
    """What a contact is about.

    The customer's problem and detail, the agent's answer and remedy.
    """

    key: str
    language: str
    problem: Variants
    understood: Variants
    detail: Variants
    remedy: Variants


PHRASES = {
    "en": Phrases(
        ("Hello, how can I help?", "Good morning, what can I do for you?"),
        ("May I have your reference?", "Which reference is on the letter?"),
        ("My reference is", "It says"),
        (
            ("Thank you so much, that is great.", "Perfect, you were very helpful."),
            ("This is the third time. I am very disappointed.", "That is not good enough, I want to complain."),
            ("All right.", "Fine, I will wait for the e-mail."),
        ),
        ("Thank you for your patience, goodbye.", "Have a nice day."),
    ),
    "es": Phrases(
        ("Hola, ¿en qué puedo ayudarle?", "Buenos días, ¿qué necesita?"),
        ("¿Me da su número de referencia?", "¿Qué referencia aparece en la carta?"),
        ("Mi referencia es", "Aquí dice"),
        (
            ("Muchas gracias, muy amable.", "Perfecto, excelente atención."),
            ("Es la tercera vez. Estoy muy molesto.", "No es suficiente, quiero poner una queja."),
            ("De acuerdo.", "Bien, espero el correo."),
        ),
        ("Gracias por su paciencia, hasta luego.", "Que tenga un buen día."),
    ),
    "pt": Phrases(
        ("Olá, em que posso ajudar?", "Bom dia, o que deseja?"),
        ("Qual é o número de referência?", "Que referência está na carta?"),
        ("Minha referência é", "Aqui diz"),
        (
            ("Muito obrigada, foi ótimo.", "Perfeito, atendimento excelente."),
            ("É a terceira vez. Estou muito irritado.", "Não é suficiente, quero reclamar."),
            ("Está bem.", "Certo, aguardo o e-mail."),
        ),
        ("Obrigado pela paciência, até logo.", "Tenha um bom dia."),
    ),
    "de": Phrases(
        ("Guten Tag, wie kann ich helfen?", "Hallo, was kann ich für Sie tun?"),
        ("Wie lautet Ihre Vorgangsnummer?", "Welche Nummer steht im Brief?"),
        ("Meine Nummer ist", "Hier steht"),
        (
            ("Vielen Dank, das ist großartig.", "Perfekt, Sie haben sehr geholfen."),
            ("Das ist schon das dritte Mal. Ich bin enttäuscht.", "Das reicht nicht, ich möchte mich beschweren."),
            ("In Ordnung.", "Gut, ich warte auf die E-Mail."),
        ),
        ("Danke für Ihre Geduld, auf Wiederhören.", "Einen schönen Tag noch."),
    ),
    "ja": Phrases(
        ("お電話ありがとうございます。", "ご用件をお伺いします。"),
        ("受付番号をお願いします。", "お手紙の番号は何ですか。"),
        ("番号は", "こちらは"),
        (
            ("助かりました、ありがとう。", "とても丁寧でした。"),
            ("もう三回目です。がっかりしました。", "納得できません。"),
            ("わかりました。", "メールを待ちます。"),
        ),
        ("失礼いたします。", "よい一日を。"),
    ),
}

TOPICS = (
    Topic(
        "double-charge",
        "en",
        ("I was charged twice.", "My invoice shows two charges."),
        ("I am sorry, I see both charges.", "Let me check the invoice."),
        ("It was forty dollars on the third.", "Both charges are on the same day."),
        ("I have issued a refund, it takes five days.", "The second charge is cancelled and refunded."),
    ),
    Topic(
        "late-parcel",
        "en",
        ("My parcel is late.", "The delivery never arrived."),
        ("Let me look up the parcel.", "I am sorry about the delay."),
        ("It was due last Monday.", "The tracking has not changed for a week."),
        ("It will be delivered tomorrow before noon.", "I am sending a replacement today."),
    ),
    Topic(
        "cancellation",
        "en",
        ("I want to cancel my contract.", "Please cancel the service."),
        ("May I ask why?", "I can help with that."),
        ("Another provider is cheaper.", "I am moving abroad next month."),
        ("The contract ends on the thirtieth.", "I can offer twenty percent off for a year."),
    ),
    Topic(
        "factura",
        "es",
        ("Me cobraron dos veces.", "Mi factura está mal."),
        ("Lo siento, veo los dos cobros.", "Voy a revisar la factura."),
        ("Son ochenta mil pesos de más.", "El cobro es del tres de este mes."),
        ("Ya pedí el reembolso, tarda cinco días.", "Queda corregida la factura."),
    ),
    Topic(
        "internet",
        "es",
        ("No tengo internet.", "La conexión se corta."),
        ("Reinicie el módem, por favor.", "Estoy revisando su línea."),
        ("Las luces están en rojo.", "Empezó ayer por la noche."),
        ("Mañana le visita un técnico.", "Ya quedó restablecido el servicio."),
    ),
    Topic(
        "plano",
        "pt",
        ("Quero mudar meu plano.", "Meu plano ficou caro."),
        ("Posso ver as opções.", "Um momento, por favor."),
        ("Uso pouco o celular.", "Preciso de mais dados."),
        ("O novo plano começa amanhã.", "Consegui um desconto de vinte por cento."),
    ),
    Topic(
        "rechnung",
        "de",
        ("Meine Rechnung ist falsch.", "Ich möchte kündigen."),
        ("Ich sehe gleich nach.", "Das tut mir leid."),
        ("Es wurden zwei Monate berechnet.", "Der Betrag ist zu hoch."),
        ("Sie erhalten eine Gutschrift.", "Die Kündigung ist eingetragen."),
    ),
    Topic(
        "password-ja",
        "ja",
        ("パスワードを忘れました。", "ログインできません。"),
        ("確認いたします。", "少々お待ちください。"),
        ("昨日から使えません。", "エラーが出ます。"),
        ("再設定のメールを送りました。", "ロックを解除しました。"),
    ),
)
