//! Requests of every language, words that negate them, and messages that only resemble one.

use super::*;

#[track_caller]
fn check(text: &str, expected: Option<(ReplyMode, bool)>) {
    let found = Wish::find_in(text).map(|wish| (wish.mode, wish.alone));
    assert_eq!(found, expected, "{text}");
}

#[test]
fn a_request_is_understood_in_five_languages() {
    let text = Some((ReplyMode::Text, true));
    check("Answer in text, please.", text);
    check("Could you answer me in text from now on?", text);
    check("Please reply in writing", text);
    check("No voice messages please!", text);
    check("Respóndeme por escrito, por favor", text);
    check("Responda por texto, por favor.", text);
    check("Bitte antworten Sie mir schriftlich.", text);
    check("Réponds-moi par écrit, s’il te plaît.", text);
    let voice = Some((ReplyMode::Voice, true));
    check("Answer by voice again", voice);
    check("Responde con voz", voice);
    check("Responda por áudio, por favor", voice);
    check("Antworte mit Sprache", voice);
    check("Réponds à l'oral", voice);
}

#[test]
fn every_request_of_every_language_is_understood() {
    let said = |wish: &str| {
        let words = wish.split(' ').filter(|word| !["^", "$"].contains(word));
        let first = |word: &str| word.split('/').next().unwrap().replace('*', "me");
        words.map(first).collect::<Vec<_>>().join(" ")
    };
    let text = everywhere(|language| language.wishes.text);
    for wish in text.chain(everywhere(|language| language.wishes.busy)) {
        check(&said(wish), Some((ReplyMode::Text, true)));
    }
    for wish in everywhere(|language| language.wishes.voice) {
        check(&said(wish), Some((ReplyMode::Voice, true)));
    }
}

#[test]
fn a_question_beside_the_request_is_still_a_question() {
    check("Answer in text: when do you open?", Some((ReplyMode::Text, false)));
    check("How much is it? Please answer by text.", Some((ReplyMode::Text, false)));
    check("I said reply in text, no, answer by voice.", Some((ReplyMode::Voice, false)));
}

#[test]
fn no_voice_is_a_request_for_text() {
    let text = Some((ReplyMode::Text, true));
    check("Don't send me voice messages", text);
    check("Não mande áudios, por favor", text);
    check("Por favor, não responda por áudio", text);
    check("No responda con audio", text);
    check("No responda por texto", None);
    check("Não responda por texto", None);
}

#[test]
fn a_reason_before_the_request_does_not_turn_it_round() {
    let text = |alone| Some((ReplyMode::Text, alone));
    check("I can't listen right now, please answer in text", text(true));
    check("I can't listen to it right now please answer in text", text(true));
    check("I don't have headphones. Reply by text!", text(false));
    check("Ich kann dich nicht hören, antworte schriftlich.", text(true));
    check("Não posso ouvir, responda por texto", text(true));
    check("No puedo oírte: responde por escrito", text(true));
    check("No, answer by voice", Some((ReplyMode::Voice, false)));
}

#[test]
fn whoever_cannot_hear_is_written_to() {
    for alone in [
        "No audio please",
        "I'd rather you write",
        "I prefer you write to me",
        "Could you please type your answer?",
        "Prefiero que me escribas",
        "Prefiro que você escreva",
        "Je préfère que vous m'écriviez",
        "Ich bevorzuge Text",
        "I'm deaf, please write",
        "Im hard of hearing",
        "I can't listen right now",
        "I'm in a meeting",
        "I am on the train right now",
        "Please don't send audio messages",
        "please dont send me voice notes",
        "Can you write?",
        "Could you please text me instead",
        "I can't hear, please text",
        "No voice notes pls",
        "I prefer to read",
        "text please",
        "Pode escrever?",
        "Por escrito, por favor",
        "nao posso ouvir audio agora",
        "Sou surda",
        "Manda por texto",
        "Só texto",
        "não consigo ouvir áudio",
        "Estou no trabalho",
        "No puedo escuchar audios",
        "¿Me puedes escribir?",
        "Sin audios",
        "No me mandes más audios",
        "No puedo escuchar ahora mismo",
        "Mejor por escrito",
        "estoy en una reunión",
        "Je suis sourde",
        "Je ne peux pas écouter",
        "Je ne peux pas écouter de vocaux là",
        "Par écrit svp",
        "Pouvez-vous m'écrire ?",
        "Vous pouvez écrire ?",
        "pas de vocal s'il vous plaît",
        "Je suis en réunion",
        "Schreib mir bitte",
        "Ich kann gerade nichts hören",
        "Bin gehörlos",
        "Keine Sprachnachrichten bitte",
        "Kann gerade keine Sprachnachrichten anhören",
        "Bitte nur Text",
        "Können Sie mir bitte schreiben?",
        "Bin gerade im Zug",
    ] {
        check(alone, Some((ReplyMode::Text, true)));
    }
    for asks in [
        "I’m deaf, when do you open?",
        "I can't listen to voice messages at work, how much is it?",
        "Soy sordo, ¿cuánto cuesta?",
        "Sou surdo. Que horas abrem?",
        "Je suis sourd, vous ouvrez à quelle heure ?",
        "Ich bin leider schwerhörig, wann haben Sie auf?",
    ] {
        check(asks, Some((ReplyMode::Text, false)));
    }
}

#[test]
fn who_can_hear_again_is_spoken_to() {
    for said in [
        "You can talk again",
        "Send audio",
        "Voice please",
        "Please send me a voice message",
        "I can listen now",
        "Voz por favor",
        "Mándame un audio",
        "Ya puedes hablar",
        "Pode mandar áudio",
        "Pode falar de novo",
        "Sie können wieder sprechen",
        "Schick mir eine Sprachnachricht",
        "Vous pouvez reparler",
        "Envoie-moi un vocal",
    ] {
        check(said, Some((ReplyMode::Voice, true)));
    }
}

#[test]
fn words_that_only_sound_like_it_are_no_request() {
    for other in [
        "Did you get my voice message?",
        "Can I return an audio cable?",
        "My dog is deaf, can I bring him?",
        "Where can I write a review?",
        "Prefiero que me escriban el lunes con el precio",
        "I prefer text books",
        "Je préfère que vous veniez",
        "I can't hear the sound of the speaker I bought",
        "Do you repair hearing aids?",
        "Can you write the address?",
        "I wrote to you yesterday",
        "Can I write to you here?",
        "I want to write to you",
        "There is no audio on my TV",
        "Don't send the audio cable yet",
        "I'm at work until six, can I come later?",
        "Can I send voice messages?",
        "Do you sell text books?",
        "Is there a discount for deaf people?",
        "My mother is hard of hearing",
        "Write down my order: two teas",
        "Text me when it's ready",
        "¿Puedo mandar audios?",
        "No puedo escuchar la radio que compré",
        "Mi perro es sordo",
        "¿Dónde puedo escribir una reseña?",
        "Te escribí ayer",
        "¿Venden cables de audio?",
        "Recebeu meu áudio?",
        "Meu cachorro é surdo",
        "Onde posso escrever uma avaliação?",
        "O cabo de áudio não funciona",
        "Haben Sie meine Sprachnachricht bekommen?",
        "Mein Hund ist taub",
        "Ich kann den Ton vom Lautsprecher nicht hören",
        "Wo kann ich eine Bewertung schreiben?",
        "Ich habe Ihnen gestern geschrieben",
        "Avez-vous reçu mon vocal ?",
        "Mon chien est sourd",
        "Je vous ai écrit hier",
        "Vendez-vous des câbles audio ?",
        "Où puis-je écrire un avis ?",
    ] {
        check(other, None);
    }
}

#[test]
fn other_words_about_texts_and_voices_are_no_request() {
    for other in [
        "Can I text you the address?",
        "I like your voice",
        "You don't have to answer in text",
        "Why do you reply by voice?",
        "How do I answer by text?",
        "The answer in the text book is wrong",
        "",
    ] {
        check(other, None);
    }
}
