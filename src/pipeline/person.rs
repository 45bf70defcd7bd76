//! Finds a person's request to talk to a person: "I want to talk to a human".
//!
//! Runs after the gate, so that what may have been misheard counts once it is confirmed. Opens a
//! ticket; without people who can take over the answer stays the agent's. Looks for a request of any language, and
//! for words right before it that turn it round; case and accents do not count.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use super::doors::{Say, Visit};
use crate::speech_text::PersonRequests;
use crate::speech_text::lang::{self, entries};
use crate::turn::TicketReason;
use crate::written::without_accents;

/// Limits the characters that are looked at: five minutes of speech.
const MOST_CHARS: usize = 4000;
/// Limits the words before a person: "the next available human".
const MOST_BEFORE: usize = 4;
/// Limits the words that a `*` stands for.
const MOST_FREE: usize = 4;

/// Notes a request. Where there are people who can take over, one does; else the message goes on to
/// the agent, and there is a ticket of it.
pub(super) fn door(visit: &mut Visit<'_>) -> ControlFlow<Say> {
    visit.wants_person = wants_person(visit.question.heard.reveal());
    if !visit.wants_person || visit.around.desk.ticket {
        return ControlFlow::Continue(());
    }
    if let Some(said) = visit.hand_over(TicketReason::AskedForPerson) {
        return ControlFlow::Break(said);
    }
    visit.ticket = Some(TicketReason::AskedForPerson);
    ControlFlow::Continue(())
}

/// Returns whether somebody asks for a person.
fn wants_person(text: &str) -> bool {
    static ALL: LazyLock<Vec<Requests>> = LazyLock::new(|| {
        lang::ALL.iter().map(|language| Requests::new(&language.person)).collect()
    });
    let text: String = text.chars().take(MOST_CHARS).collect();
    let clauses = text.split(['.', ',', ';', ':', '!', '?', '…', '\n']);
    let clauses: Vec<Vec<String>> = clauses.map(words).collect();
    ALL.iter().any(|requests| {
        let asks = |clause: &Vec<String>| requests.are_in(clause);
        clauses.iter().any(asks) || requests.are_all_of(&clauses.concat())
    })
}

/// Splits into words, as they are compared.
fn words(text: &str) -> Vec<String> {
    let text = without_accents(&text.to_lowercase());
    let split = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    split.map(str::to_owned).collect()
}

/// Holds one piece of a request.
#[derive(Debug, PartialEq, Eq)]
enum RequestPiece {
    Word(String),
    /// `@`: somebody.
    Person,
    /// `*`: up to [`MOST_FREE`] words.
    Free,
    /// `.`: here ends the clause, or words follow that add nothing.
    End,
}

/// Holds the requests of one language, ready to be compared.
struct Requests {
    /// By their first word, so that a long message costs little; those that begin with somebody
    /// are under each word that may begin one.
    asked: HashMap<String, Vec<Arc<[RequestPiece]>>>,
    people: Vec<Vec<String>>,
    alone: Vec<Vec<String>>,
    not: Vec<Vec<String>>,
    before: Vec<String>,
    around: Vec<String>,
}

impl Requests {
    fn new(of: &PersonRequests) -> Self {
        let phrases = |list| entries(list).map(words).collect();
        let single = |list| entries(list).flat_map(words).collect();
        let piece = |piece: &str| match piece {
            "@" => vec![RequestPiece::Person],
            "*" => vec![RequestPiece::Free],
            "." => vec![RequestPiece::End],
            word => words(word).into_iter().map(RequestPiece::Word).collect(),
        };
        let people: Vec<Vec<String>> = phrases(of.people);
        let before: Vec<String> = single(of.before);
        let mut asked: HashMap<String, Vec<Arc<[RequestPiece]>>> = HashMap::new();
        for request in entries(of.requests) {
            let request: Arc<[RequestPiece]> = request.split(' ').flat_map(piece).collect();
            let first: BTreeSet<&String> = match &request[0] {
                RequestPiece::Word(word) => BTreeSet::from([word]),
                _ => before.iter().chain(people.iter().map(|person| &person[0])).collect(),
            };
            for word in first {
                asked.entry(word.clone()).or_default().push(Arc::clone(&request));
            }
        }
        let (alone, not, around) = (phrases(of.alone), phrases(of.not), single(of.around));
        Self { asked, people, alone, not, before, around }
    }

    /// Returns whether one stands in `clause` and nothing turns it round.
    fn are_in(&self, clause: &[String]) -> bool {
        (0..clause.len()).any(|at| {
            let (before, rest) = clause.split_at(at);
            let requests = self.asked.get(&rest[0]).into_iter().flatten();
            requests.filter(|request| self.fits(request, rest)).any(|request| {
                // "not a human": the article belongs to the one who is asked for.
                let articles = if request[0] == RequestPiece::Person { MOST_BEFORE } else { 0 };
                let trailing = before.iter().rev().take(articles);
                let trailing = trailing.take_while(|word| self.before.contains(word)).count();
                let before = &before[..before.len() - trailing];
                !self.not.iter().any(|not| before.ends_with(not))
            })
        })
    }

    /// Returns whether `words` begin as `request` says.
    fn fits(&self, request: &[RequestPiece], words: &[String]) -> bool {
        let Some((piece, request)) = request.split_first() else { return true };
        match piece {
            RequestPiece::Word(word) => {
                words.first() == Some(word) && self.fits(request, &words[1..])
            }
            RequestPiece::Free => {
                let most = MOST_FREE.min(words.len());
                (0..=most).any(|free| self.fits(request, &words[free..]))
            }
            RequestPiece::End => words.first().is_none_or(|word| self.around.contains(word)),
            RequestPiece::Person => {
                let before = words.iter().take(MOST_BEFORE);
                let before = before.take_while(|word| self.before.contains(word)).count();
                (0..=before).any(|skipped| {
                    let rest = &words[skipped..];
                    let mut people = self.people.iter().filter(|person| rest.starts_with(person));
                    people.any(|person| self.fits(request, &rest[person.len()..]))
                })
            }
        }
    }

    /// Returns whether `words` name somebody and say nothing else: "a human, please".
    fn are_all_of(&self, mut words: &[String]) -> bool {
        let mut named = false;
        while let Some(word) = words.first() {
            let person = self.alone.iter().filter(|person| words.starts_with(person));
            if let Some(person) = person.max_by_key(|person| person.len()) {
                named = true;
                words = &words[person.len()..];
            } else if self.before.contains(word) || self.around.contains(word) {
                words = &words[1..];
            } else {
                return false;
            }
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: bool, texts: &str) {
        let wrong: Vec<_> =
            texts.split(" / ").filter(|text| wants_person(text) != expected).collect();
        assert!(wrong.is_empty(), "not {expected}: {wrong:#?}");
    }

    #[test]
    fn a_request_for_a_person_is_understood_in_five_languages() {
        check(
            true,
            "I want to talk to a human / agent please / Can I speak with a real person, \
             please? / Could you put me through to customer service / I need a human. Now. / \
             Human! / Is there someone I can talk to? / how do i reach an operator / Can \
             somebody call me? / I don't understand can I talk to a person / I'd like to \
             speak to one of your managers / connect me with an agent about my order / Quiero \
             hablar con una persona / ¿Me puede comunicar con un asesor? / Pásame con un \
             humano, por favor / agente por favor / necesito una persona real / ¿Puedo hablar \
             con alguien de atención al cliente? / Quero falar com um atendente / Pode me \
             transferir para uma pessoa? / atendente, por favor / Preciso de um humano / \
             Gostaria de ser atendido por uma pessoa de verdade / Ich möchte mit einem \
             Menschen sprechen / Kann ich bitte mit einem Mitarbeiter über meine Bestellung \
             reden? / Verbinden Sie mich bitte mit dem Kundenservice / Ich will einen echten \
             Menschen! / Mitarbeiter bitte / Kann mich jemand anrufen? / Je voudrais parler à \
             un conseiller / parler a quelqu'un svp / Passez-moi un humain, s'il vous plaît / \
             un conseiller, s’il vous plaît / Mettez-moi en relation avec le service client / \
             J'ai besoin d'une vraie personne",
        );
    }

    #[test]
    fn other_words_about_people_are_no_request() {
        check(
            false,
            "Are you a person? / Am I talking to a human? / How many people can come? / The \
             person who sold me the grinder was nice / I spoke to an agent yesterday / Do you \
             sell to persons under 18? / I want a table for one person / I don't want to talk \
             to a person / Do I have to speak to an agent to cancel? / Can I order without \
             talking to anyone? / Can someone with a wheelchair get in? / I need a cleaning \
             agent / Do you have a human hair brush / Somebody stole my parcel / You can call \
             me Anna / ¿Eres una persona? / ¿Hablo con una persona? / Ayer hablé con un \
             agente / Acabo de hablar con una persona / Una mesa para una persona, por favor \
             / No quiero hablar con una persona / una persona / Você é uma pessoa? / Ontem \
             falei com um atendente / Acabei de falar com um atendente / Uma pessoa / Quantas \
             pessoas cabem? / Sind Sie ein Mensch? / Spreche ich mit einem Menschen? / \
             Gestern habe ich mit einem Mitarbeiter gesprochen / Muss ich mit einem \
             Mitarbeiter sprechen? / Ich brauche eine Tasse für eine Person / Eine Person, \
             bitte / Kann jemand Englisch sprechen? / Êtes-vous une personne ? / Est-ce que \
             je parle à un humain ? / Je viens de parler à un conseiller / J'ai parlé à un \
             conseiller hier / Je ne veux parler à personne / Une table pour une personne",
        );
    }

    #[test]
    fn requests_in_other_words_are_understood() {
        check(
            true,
            "hi, i'd rather speak to a human being / Let me speak to your supervisor! / this \
             is useless, give me an agent / Is it possible to talk with somebody from your \
             team? / CUSTOMER SERVICE PLEASE / please have someone call me back tomorrow / \
             How can I get in touch with a human? / are there any real people I can talk to / \
             I'm not talking to a bot, I want a person / can you transfer me to the sales \
             team / Hola, necesito hablar con un agente de verdad / prefiero que me atienda \
             una persona / quisiera hablar con el encargado / ¿Hay alguien con quien pueda \
             hablar? / operadora / que alguien me llame por favor / me comunican con servicio \
             al cliente? / quiero falar com alguem / tem alguém aí que possa me atender? / \
             Prefiro conversar com uma pessoa / me passa pro atendente / quero atendimento \
             humano / gostaria de falar com o gerente / Kann ich jemanden sprechen? / Ich \
             würde gerne mit einer echten Person reden / bitte einen menschen / Verbinde mich \
             mit deinem Chef / Können Sie mich mit einem Berater verbinden? / ich möchte mit \
             jemandem vom support schreiben / Wie erreiche ich einen Mitarbeiter? / Je veux \
             parler à une vraie personne / est-ce que je peux avoir un conseiller / \
             j'aimerais échanger avec quelqu'un de votre équipe / un humain stp / Pouvez-vous \
             me mettre en contact avec un responsable ? / Il y a quelqu'un à qui je peux \
             parler ? / I wanna talk to somebody / Get me a manager right now / can you \
             connect me to your support team / Is a human there? / I would prefer to speak \
             with a real human being rather than a bot / Operator! / talk to agent / speak to \
             a rep / Please let a human answer me / quiero que me atienda un humano / con un \
             agente por favor / ¿Me pasas con alguien? / hablar con asesor / necesito ayuda \
             de una persona / quero falar com uma pessoa de verdade / pode chamar um \
             atendente? / falar com atendente / preciso de ajuda humana / Kann ich mit \
             jemandem reden? / bitte mit einem Mitarbeiter verbinden / ich möchte zu einem \
             Mitarbeiter / Ich hätte gerne einen Ansprechpartner / gibt es hier auch echte \
             Menschen mit denen ich reden kann / je veux un humain / puis-je parler à un être \
             humain / parler à un agent / j'aimerais avoir quelqu'un au téléphone / un agent \
             svp / je souhaite être rappelé par un conseiller",
        );
    }

    #[test]
    fn accents_may_be_apart_from_their_letters() {
        check(true, "Quero falar com algue\u{301}m");
    }

    #[test]
    fn neighbours_of_requests_stay_what_they_are() {
        check(
            false,
            "My agent told me to write here / Is your support open on Sunday? / Where is the \
             reception? / I have to talk to my wife first / I need a person's name for the \
             card / Do your staff speak Spanish? / thank you, you are a lovely person / The \
             manager of the shop is nice / I don't need to speak with anyone / ¿Cuántas \
             personas trabajan ahí? / Tengo que hablar con mi mujer / es para otra persona / \
             no hace falta hablar con nadie / ¿El agente de seguros viene hoy? / Preciso \
             falar com minha mãe / É para duas pessoas / Não preciso falar com ninguém / O \
             atendente foi muito simpático / Ich muss mit meiner Frau sprechen / Wie viele \
             Menschen passen in den Raum? / Der Mitarbeiter war sehr freundlich / Ich möchte \
             nicht mit einem Menschen sprechen / Für wie viele Personen reicht das? / Je dois \
             parler à mon mari / Combien de personnes ? / Le conseiller était très gentil / \
             Je n'ai pas besoin de parler à un conseiller / C'est pour une autre personne / \
             I'm an agent for a travel company / How many staff do you have? / I reached \
             someone yesterday, thanks / Can I contact you by mail? / Tell the owner thanks / \
             Can I get a manager's discount / Do you need a person to sign for the parcel / \
             ¿Necesito una persona para firmar? / soy agente de viajes / sou atendente de \
             loja / Ich bin Mitarbeiterin bei Bosch / je suis conseiller en assurance / \
             quelqu'un a volé mon colis / alguien me dijo que abren el domingo / I need \
             someone for my birthday party / Does your support team work on Sundays / I \
             contacted support last week / ask your boss if he likes tea / Wie erreiche ich \
             Sie? / Mein Chef möchte Kaffee kaufen / mon patron aime le thé",
        );
    }

    #[test]
    fn every_request_of_every_language_is_understood() {
        for language in lang::ALL {
            let of = &language.person;
            for person in entries(of.people) {
                let said = |request: &str| request.replace('@', person).replace(" .", "");
                let said: Vec<_> =
                    entries(of.requests).map(|request| said(request).replace('*', "x")).collect();
                check(true, &said.join(" / "));
            }
            check(true, &entries(of.alone).collect::<Vec<_>>().join(" / "));
        }
    }
}
