//! Knows what captions say of sounds, in five languages, and which captions were never spoken.

use super::tags::has_words;

/// Most words of a cue.
const WORDS: usize = 6;

/// English verbs of sounds, without their endings.
const VERBS: &str = "\
    applaud bang bark beep buzz chatter cheer chirp chuckl clank clap clapp clatter click cough \
    creak crunch exhal gasp giggl groan growl grunt hiss honk howl humm inhal jingl knock laugh \
    meow moan mumbl murmur mutter revv rumbl rustl scream shout sigh slam slamm sneez sniff \
    sniffl snor sobb splash squeak thud thump wail whimper whirr whistl whoosh yawn yell";
const ENDINGS: &[&str] = &["ing", "s", "es"];
/// Endings that make an ordinary word of it, too: a cue only if it stands alone.
const ALONE: &[&str] = &["", "e", "ed"];

/// Words that are cues whatever stands beside them: English, German, Spanish, French, Portuguese.
const SOUNDS: &str = "\
    applause breathing breathes crying footsteps gunshot gunshots inaudible indistinct laughter \
    ringing siren sirens singing sobs typing unintelligible whispering whispers applaus beifall \
    bellen bellt gelächter gemurmel geschrei hupen hupt hustet jubel klatschen klatscht klingeln \
    klingelt klopfen klopft lachen lacht miaut murmelt niest piepen piept pfeift räuspert rülpst \
    schluchzt schnarchen schnarcht schnieft schreit seufzen seufzt sirene sirenen stöhnt \
    unverständlich weint aplaude aplausos bocina carcajadas estornuda gritos jadea jadeos ladra \
    ladridos llanto llora ininteligible murmullos pitido pitidos portazo ríe ríen risas ronca \
    ronquidos silbido silbidos sirena sollozos suspira suspiro tose zumbido aboie aboiement \
    aboiements applaudissements bourdonnement brouhaha éternue gémissements halètements \
    inintelligible klaxon pleure pleurs rires ronfle ronflement ronflements sanglots sifflement \
    sifflements sirène sirènes soupir soupire soupirs tousse assobia assobio batidas bipe buzina \
    chora choro espirra inaudível ininteligível latidos murmúrio palmas risadas risos ronco \
    soluços tosses";

/// Words that are cues alone or beside nothing but [`MANNERS`].
const NOUNS: &str = "\
    audio foreign jingle melody music noise noises silence song sound sounds static geräusch \
    geräusche husten klatsch klopfgeräusche knall musik rauschen stille música musica musiquilla \
    ruido ruidos silencio sonido tos bruit bruits musique rire sons toux ruído ruídos silêncio \
    tosse";

/// Words that say of a sound how and where it is.
const MANNERS: &str = "\
    a ambient and background blank bright calm cheerful classical closing continues dark \
    dramatic drum eerie electronic ends energetic epic fades faint fast funky gentle guitar \
    happy heavy in instrumental intense intro jazz language light lively loud low mellow of \
    ominous on opening orchestral outro piano playful playing plays quiet rock sad slow soft \
    solemn somber speaking starts static stops suspenseful techno tense the theme tribal \
    triumphant upbeat whimsical white wind dramatische düstere fröhliche hintergrund \
    hintergrundmusik im laute leise ruhige sanfte spannende spielt titelmusik alegre animada de \
    dramática electrónica emocionante fondo intensa suave tensa tranquila triste da eletrônica \
    fundo do calme d douce dramatique du entraînante fond joyeuse la pas suspense énergique \
    épique";

/// Whole utterances that whisper has learnt from captions of films and says of noise. `…` stands
/// for anything that follows.
const CAPTIONS: &str = "\
thanks for watching
thank you for watching
thanks for watching and …
thank you so much for watching
thank you very much for watching
thank you for watching …
thanks for listening
please subscribe …
please like and subscribe …
subscribe to my channel
dont forget to subscribe …
like and subscribe …
subtitles by …
subtitles made by …
captions by …
captioned by …
transcription by …
transcript emily beynon
transcribed by …
see you in the next video
ill see you in the next video
untertitel der amara …
untertitel von …
untertitel im auftrag …
untertitelung …
untertitel des …
vielen dank fürs zuschauen
danke fürs zuschauen
copyright wdr …
swr …
vielen dank fürs zuschauen und …
bis zum nächsten video
subtítulos realizados por …
subtítulos por …
subtitulado por …
gracias por ver el video
gracias por ver el vídeo
muchas gracias por ver el video
suscríbete …
suscríbanse …
no olvides suscribirte …
más información www …
hasta el próximo video
sous titrage …
sous titres …
sous titré …
merci davoir regardé …
abonnez vous …
noubliez pas de vous abonner …
à la prochaine vidéo
legendas pela …
legendas por …
legendado por …
legenda …
obrigado por assistir …
obrigada por assistir …
inscreva se no canal …
se inscreva no canal …
até o próximo vídeo
amara org";

/// Returns whether a caption says of a sound what is in `parenthesis`.
pub(super) fn is_cue(parenthesis: &str) -> bool {
    let words = words(parenthesis);
    if words.is_empty() || words.len() > WORDS {
        return false;
    }
    let ends = |word: &str, endings: &[&str]| {
        let mut verbs = VERBS.split(' ').filter_map(|verb| word.strip_prefix(verb));
        verbs.any(|ending| endings.contains(&ending))
    };
    let is_one = |word: &str, of: &str| of.split(' ').any(|one| one == word);
    let is_sound = |word: &String| is_one(word, SOUNDS) || ends(word, ENDINGS);
    let is_noun = |word: &String| is_one(word, NOUNS);
    let is_manner = |word: &String| is_noun(word) || is_one(word, MANNERS);
    words.iter().any(is_sound)
        || (words.iter().any(is_noun) && words.iter().all(is_manner))
        || words.iter().all(|word| ends(word, ALONE))
}

/// Returns whether `text` is nothing but captions of films, which no one says in a voice note. A
/// person could, so it takes a second sign before they are no words.
pub(super) fn is_caption(text: &str) -> bool {
    let mut sentences = text.split_inclusive(['!', '?', '\n']).flat_map(|part| part.split(". "));
    let is_known = |sentence: &str| {
        let sentence = words(sentence).join(" ");
        CAPTIONS.lines().any(|caption| match caption.strip_suffix(" …") {
            Some(begin) => {
                let rest = sentence.strip_prefix(begin);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            }
            None => sentence == caption,
        })
    };
    has_words(text) && sentences.all(|sentence| !has_words(sentence) || is_known(sentence))
}

/// Splits text into words in lower case, without apostrophes.
fn words(text: &str) -> Vec<String> {
    let plain = text.to_lowercase().replace(['\'', '’'], "");
    let words = plain.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_of_five_languages_are_known() {
        for cue in [
            "music",
            "Upbeat music",
            "dog barking",
            "laughs",
            "laughing loudly",
            "knock knock",
            "sighs",
            "door slams",
            "speaking in foreign language",
            "audience applauding",
            "phone ringing",
            "crowd chattering",
            "silence",
            "Musik",
            "Gelächter",
            "Sie lacht",
            "spannende Musik",
            "seufzt",
            "es klopft",
            "Hintergrundmusik Musik",
            "Música",
            "risas",
            "aplausos del público",
            "suspira",
            "música de fondo",
            "musique",
            "rires",
            "musique douce",
            "bruit de fond",
            "applaudissements",
            "risos",
            "música animada",
            "o cachorro late e há latidos",
            "sneeze",
            "crying",
            "inaudible",
        ] {
            assert!(is_cue(cue), "{cue}");
        }
    }

    #[test]
    fn what_people_put_aside_is_no_cue() {
        for words in [
            "",
            "alkaline",
            "416",
            "for four",
            "by Bach",
            "click save",
            "music school",
            "live music",
            "Bangladesh",
            "sobre la mesa",
            "und Husten seit gestern",
            "de lunes a viernes",
            "the",
            "see above",
            "Pause",
            "rings",
            "du lundi au vendredi",
            "a partir das nove",
            "we laughed so much that the neighbours came",
            "of the",
            "im Januar",
        ] {
            assert!(!is_cue(words), "{words}");
        }
    }

    #[test]
    fn captions_of_films_are_known_whatever_their_punctuation() {
        for caption in [
            "Untertitel der Amara.org-Community",
            "Untertitelung des ZDF, 2020",
            "Sous-titrage ST' 501",
            "Sous-titres réalisés para la communauté d'Amara.org",
            "Thanks for watching!",
            "Thank you for watching. Thanks for watching!",
            "Subtítulos por la comunidad de Amara.org",
            "¡Gracias por ver el video!",
            "Legendas por TIAGO ANDERSON",
            "Obrigado por assistir!",
            "Merci d'avoir regardé cette vidéo !",
            "Please subscribe to my channel.",
            "Subtitles by X.",
            "Untertitel im Auftrag des ZDF für funk, 2017",
            "Amara.org",
        ] {
            assert!(is_caption(caption), "{caption}");
        }
        for words in [
            "",
            "...",
            "Thank you.",
            "Untertitel sind aus",
            "Vielen Dank",
            "I was watching TV",
            "Gracias por venir",
            "How do I subscribe?",
            "Thanks for watching! When do you open?",
        ] {
            assert!(!is_caption(words), "{words}");
        }
    }
}
