//! Spanish.

use super::super::language::{
    Answers, Date, Form, Language, PersonRequests, Search, Stops, Time, Words, currency,
    multiplier, noun, unit,
};
use super::{entry, triples, wishes};

const BELOW_THIRTY: &str = "cero, uno, dos, tres, cuatro, cinco, seis, siete, ocho, nueve, diez, \
                            once, doce, trece, catorce, quince, dieciséis, diecisiete, dieciocho, \
                            diecinueve, veinte, veintiuno, veintidós, veintitrés, veinticuatro, \
                            veinticinco, veintiséis, veintisiete, veintiocho, veintinueve";
const TENS: &str = "-, -, -, treinta, cuarenta, cincuenta, sesenta, setenta, ochenta, noventa";
const HUNDREDS: &str = "-, ciento, doscientos, trescientos, cuatrocientos, quinientos, \
                        seiscientos, setecientos, ochocientos, novecientos";
const ORDINALS: &str =
    "cero, primero, segundo, tercero, cuarto, quinto, sexto, séptimo, octavo, noveno";
const ORDINAL_TENS: &str = "-, décimo, vigésimo, trigésimo, cuadragésimo, quincuagésimo, \
                            sexagésimo, septuagésimo, octogésimo, nonagésimo";

fn cardinal(n: u64, form: Form) -> String {
    let (millions, thousands, rest) = triples(n);
    let mut parts = Vec::new();
    match millions {
        0 => {}
        1 => parts.push("un millón".to_owned()),
        _ => parts.push(format!("{} millones", cardinal(millions, Form::Masculine))),
    }
    match thousands {
        0 => {}
        1 => parts.push("mil".to_owned()),
        // "Veintiún mil": the noun may be feminine, but mil takes the short form.
        _ => {
            let form = if form == Form::Feminine { form } else { Form::Masculine };
            let count = below_thousand(thousands, form).replace("una", "ún");
            let count = count.replace(" y ún", " y un");
            parts.push(format!("{count} mil"));
        }
    }
    if rest > 0 || n == 0 {
        parts.push(below_thousand(rest, form));
    }
    parts.join(" ")
}

fn below_thousand(n: u64, form: Form) -> String {
    if n == 100 {
        return "cien".to_owned();
    }
    let mut parts = Vec::new();
    if n > 100 {
        let hundreds = entry(HUNDREDS, n / 100);
        let feminine = form == Form::Feminine && n >= 200;
        parts.push(if feminine {
            format!("{}as", hundreds.trim_end_matches("os"))
        } else {
            hundreds.to_owned()
        });
    }
    let rest = n % 100;
    if rest > 0 || n == 0 {
        let word = match rest {
            0..30 => entry(BELOW_THIRTY, rest).to_owned(),
            _ if rest.is_multiple_of(10) => entry(TENS, rest / 10).to_owned(),
            _ => format!("{} y {}", entry(TENS, rest / 10), entry(BELOW_THIRTY, rest % 10)),
        };
        parts.push(match (word.strip_suffix("uno"), form) {
            (Some(stem), Form::Feminine) => format!("{stem}una"),
            (Some("veinti"), Form::Masculine) => "veintiún".to_owned(),
            (Some(stem), Form::Masculine) => format!("{stem}un"),
            _ => word,
        });
    }
    parts.join(" ")
}

fn ordinal(n: u64, form: Form) -> String {
    let word = match n {
        1..10 => entry(ORDINALS, n).to_owned(),
        11 => "undécimo".to_owned(),
        12 => "duodécimo".to_owned(),
        13..20 => format!("decimo{}", entry(ORDINALS, n % 10)),
        10..100 if n.is_multiple_of(10) => entry(ORDINAL_TENS, n / 10).to_owned(),
        20..100 => format!("{} {}", entry(ORDINAL_TENS, n / 10), entry(ORDINALS, n % 10)),
        _ => return cardinal(n, form),
    };
    match form {
        Form::Feminine => {
            let words = word.split(' ').map(|word| format!("{}a", &word[..word.len() - 1]));
            words.collect::<Vec<_>>().join(" ")
        }
        Form::Bound if word.ends_with("primero") || word.ends_with("tercero") => {
            word[..word.len() - 1].to_owned()
        }
        _ => word,
    }
}

fn year(n: u64) -> String {
    cardinal(n, Form::Alone)
}

fn date(date: Date, _: &str) -> String {
    let month = SPANISH.months[date.month - 1][0];
    let year = date.year.map(|n| format!(" de {}", year(n))).unwrap_or_default();
    format!("{} de {month}{year}", cardinal(date.day, Form::Alone))
}

fn time(time: Time) -> String {
    let hour = cardinal(time.hour, Form::Feminine);
    let minute = match time.minute {
        0 => String::new(),
        15 if time.hour <= 12 => " y cuarto".to_owned(),
        30 if time.hour <= 12 => " y media".to_owned(),
        minute @ 1..10 => format!(" y {}", cardinal(minute, Form::Alone)),
        minute => format!(" {}", cardinal(minute, Form::Alone)),
    };
    let part = match (time.half, time.hour_of_day()) {
        (None, _) => "",
        (_, 0..6) => " de la madrugada",
        (_, 6..12) => " de la mañana",
        (_, 12) => " del mediodía",
        (_, 13..20) => " de la tarde",
        _ => " de la noche",
    };
    format!("{hour}{minute}{part}")
}

const M: Form = Form::Masculine;
const F: Form = Form::Feminine;

pub(super) static SPANISH: Language = Language {
    code: "es",
    wishes: wishes::SPANISH,
    person: PersonRequests {
        requests: "hablar con @, hablar directamente con @, hablar por teléfono con @, hablarlo \
                   con @, hablar ya con @, chatear con @, conversar con @, comunicarme con @, \
                   comunicar con @, comuníqueme con @, comunícame con @, comunicarse con @, me \
                   comunica con @, me comunicas con @, contactar con @, contactar a @, contactarme \
                   con @, en contacto con @, ponme con @, póngame con @, me pone con @, me pones \
                   con @, ponerme con @, pásame con @, páseme con @, pásame a @, páseme a @, \
                   pasarme con @, pasarme a @, me pasa con @, me pasas con @, transferirme a @, \
                   transferirme con @, transfiérame a @, transfiérame con @, transfiéreme a @, \
                   transfiéreme con @, conéctame con @, conécteme con @, conectarme con @, que me \
                   atienda @, me atiende @, puede atenderme @, que me llame @, me puede llamar @, \
                   puede llamarme @, que me llamen, llámenme ., llámeme ., llámame ., quiero @ ., \
                   quiero a @ ., necesito @ ., necesito a @ ., quisiera @ ., prefiero @ ., deme @ \
                   ., dame @ ., hay @ con quien, hay @ que me, atención humana, @ me llame, me \
                   comunican con @, me comunique con @, me comuniquen con @, ayuda de @, ayuda \
                   humana",
        people: "persona, personas, humano, humana, ser humano, agente, asesor, asesora, operador, \
                 operadora, operario, representante, alguien, empleado, empleada, encargado, \
                 encargada, gerente, jefe, jefa, supervisor, supervisora, dependiente, comercial, \
                 ejecutivo, ejecutiva, vendedor, vendedora, compañero, compañera, técnico, \
                 responsable, dueño, dueña, recepción, atención al cliente, servicio al cliente, \
                 servicio de atención al cliente, soporte, soporte técnico",
        alone: "humano, ser humano, agente, asesor, asesora, operador, operadora, representante, \
                persona real, persona de verdad, atención al cliente, servicio al cliente",
        before: "un, una, uno, el, la, los, las, algún, alguna, su, sus, tu, tus, vuestro, otro, \
                 otra, de, verdadero, verdadera, con",
        around: "por, favor, porfa, porfavor, ya, ahora, mismo, gracias, hola, sí, real, humana, \
                 humano, de, verdad, física, en, que, y, no, aquí, urgente",
        not: "no quiero, no quisiera, no necesito, no hace falta, no tengo que, no hay que, hay \
              que, no me gusta, tener que, sin, acabo de, acabamos de, pude, he podido, después \
              de, antes de, en vez de, en lugar de, no",
    },
    answers: Answers {
        yes: "sí, si, sí por favor, sí eso, sí eso es, eso es, correcto, exacto, sí correcto, \
              claro, así es",
        no: "no, no incorrecto, incorrecto, no eso no, eso no, no es eso, no no es eso",
    },
    search: Search {
        common: "a, al, algo, como, cómo, con, cual, cuál, cuando, cuándo, cuanto, cuánto, de, \
                 del, donde, dónde, el, ella, en, eres, es, esta, está, estan, están, este, esto, \
                 favor, ha, hay, hola, hoy, la, las, le, lo, los, me, mi, muy, nos, o, para, pero, \
                 por, porque, puede, pueden, puedo, que, qué, quien, quién, quiero, se, ser, si, \
                 sí, son, soy, su, sus, te, tiene, tienen, tu, un, una, unos, usted, ustedes, y, \
                 ya, yo",
        courtesies: "buenos, buenas, días, dias, tardes, gracias",
    },
    stops: Stops {
        never_end: "sr, sra, srta, dr, dra, d.ª, prof, gen, ud, uds, p.ej, ej, av, avda, núm, pág, \
                    aprox, tel",
        may_end: "etc, s.a, s.l, n, p, pp, art, fig, vol, cap, min, h, kg",
    },
    cardinal,
    ordinal,
    ordinal_form: |_| Form::Alone,
    year,
    date,
    time,
    decimal: ',',
    decimals_by_digit: false,
    singular_below_two: false,
    phone_in_pairs: false,
    seven_digit_phones: false,
    month_before_day: false,
    capital_names: false,
    capital_nouns: false,
    words: Words {
        point: "coma",
        minus: "menos",
        plus: "más",
        equals: "igual a",
        times: "por",
        and: "y",
        percent: "por ciento",
        to: "a",
        ratio: "a",
        out_of: "sobre",
        about: "unos",
        less: "menos de",
        more: "más de",
        per: "por",
        number: "número",
        at: "arroba",
        dot: "punto",
        slash: "barra",
        hyphen: "guion",
        underscore: "guion bajo",
        hashtag: "almohadilla",
        half: "medio",
        half_a: "medio",
        and_half: " y medio",
        long_link: "el enlace que envío por escrito",
        code: "Omito el código.",
    },
    million_of: |_| "de ",
    cents_join: " con ",
    cents_named: true,
    currencies: &[
        currency(&["€", "EUR"], noun("euro", "euros", M), noun("céntimo", "céntimos", M)),
        currency(&["$", "US$", "USD"], noun("dólar", "dólares", M), noun("centavo", "centavos", M)),
        currency(&["£", "GBP"], noun("libra", "libras", F), noun("penique", "peniques", M)),
        currency(&["R$", "BRL"], noun("real", "reales", M), noun("centavo", "centavos", M)),
        currency(&["¥", "JPY"], noun("yen", "yenes", M), noun("", "", M)),
        currency(&["CHF"], noun("franco", "francos", M), noun("céntimo", "céntimos", M)),
        currency(&["₹", "INR"], noun("rupia", "rupias", F), noun("paisa", "paisas", F)),
        currency(&["MXN", "ARS", "COP"], noun("peso", "pesos", M), noun("centavo", "centavos", M)),
    ],
    multipliers: &[
        multiplier(&["k", "K", "mil"], 1000, noun("mil", "mil", M)),
        multiplier(&["M", "millón", "millones"], 1_000_000, noun("millón", "millones", M)),
    ],
    units: &[
        unit(&["km"], noun("kilómetro", "kilómetros", M)),
        unit(&["m"], noun("metro", "metros", M)),
        unit(&["cm"], noun("centímetro", "centímetros", M)),
        unit(&["mm"], noun("milímetro", "milímetros", M)),
        unit(&["kg"], noun("kilo", "kilos", M)),
        unit(&["g", "gr"], noun("gramo", "gramos", M)),
        unit(&["mg"], noun("miligramo", "miligramos", M)),
        unit(&["t"], noun("tonelada", "toneladas", F)),
        unit(&["l", "L"], noun("litro", "litros", M)),
        unit(&["ml", "mL"], noun("mililitro", "mililitros", M)),
        unit(&["cl"], noun("centilitro", "centilitros", M)),
        unit(&["m²", "m2"], noun("metro cuadrado", "metros cuadrados", M)),
        unit(&["km²", "km2"], noun("kilómetro cuadrado", "kilómetros cuadrados", M)),
        unit(&["m³", "m3"], noun("metro cúbico", "metros cúbicos", M)),
        unit(&["km/h"], noun("kilómetro por hora", "kilómetros por hora", M)),
        unit(&["°C", "ºC", "℃"], noun("grado", "grados", M)),
        unit(&["°F", "ºF"], noun("grado Fahrenheit", "grados Fahrenheit", M)),
        unit(&["°"], noun("grado", "grados", M)),
        unit(&["h", "hs", "hrs"], noun("hora", "horas", F)),
        unit(&["min"], noun("minuto", "minutos", M)),
        unit(&["s", "seg"], noun("segundo", "segundos", M)),
        unit(&["kB", "KB"], noun("kilobyte", "kilobytes", M)),
        unit(&["MB"], noun("mega", "megas", M)),
        unit(&["GB"], noun("giga", "gigas", M)),
        unit(&["TB"], noun("tera", "teras", M)),
        unit(&["Mbps", "Mbit/s"], noun("mega por segundo", "megas por segundo", M)),
        unit(&["W"], noun("vatio", "vatios", M)),
        unit(&["kW"], noun("kilovatio", "kilovatios", M)),
        unit(&["kWh"], noun("kilovatio hora", "kilovatios hora", M)),
        unit(&["V"], noun("voltio", "voltios", M)),
        unit(&["x"], noun("vez", "veces", F)),
        unit(&["uds.", "ud.", "uds", "ud"], noun("unidad", "unidades", F)),
    ],
    months: [
        &["enero", "ene"],
        &["febrero", "feb"],
        &["marzo", "mar"],
        &["abril", "abr"],
        &["mayo", "may"],
        &["junio", "jun"],
        &["julio", "jul"],
        &["agosto", "ago"],
        &["septiembre", "setiembre", "sept", "sep"],
        &["octubre", "oct"],
        &["noviembre", "nov"],
        &["diciembre", "dic"],
    ],
    weekdays: [
        &["lunes", "lun", "L"],
        &["martes", "mar", "M"],
        &["miércoles", "mié", "mie", "X"],
        &["jueves", "jue", "J"],
        &["viernes", "vie", "V"],
        &["sábado", "sáb", "sab", "S"],
        &["domingo", "dom", "D"],
    ],
    day_to_month: &[" de ", " "],
    month_to_year: &[" de ", " del ", " "],
    day_cues: "el, al, del, día",
    hour_units: "hs, hrs, horas, h",
    parts: [
        ("medio", "medios"),
        ("tercio", "tercios"),
        ("cuarto", "cuartos"),
        ("quinto", "quintos"),
        ("sexto", "sextos"),
        ("séptimo", "séptimos"),
        ("octavo", "octavos"),
        ("noveno", "novenos"),
        ("décimo", "décimos"),
    ],
    ordinal_marks: &[
        (".º", M),
        (".ª", F),
        ("º", M),
        ("ª", F),
        ("°", M),
        (".er", Form::Bound),
        ("er", Form::Bound),
        ("ro", M),
        ("do", M),
        ("ra", F),
        ("da", F),
        ("to", M),
        ("ta", F),
    ],
    dotted_ordinals: None,
    list: "Primero, Segundo, Tercero, Cuarto, Quinto, Sexto, Séptimo, Octavo, Noveno, Décimo",
    replacements: &[
        ("p. ej.", "por ejemplo"),
        ("p.ej.", "por ejemplo"),
        ("etc.", "etcétera"),
        ("Sr.", "señor"),
        ("Sra.", "señora"),
        ("Dr.", "doctor"),
        ("Dra.", "doctora"),
        ("Uds.", "ustedes"),
        ("Ud.", "usted"),
        ("Av.", "avenida"),
        ("Avda.", "avenida"),
        ("c/", "calle "),
        ("aprox.", "aproximadamente"),
        ("tel.", "teléfono"),
        ("Tel.", "Teléfono"),
        ("núm.", "número"),
        ("n.º", "número"),
        ("nº", "número"),
        ("N.º", "Número"),
        ("Nº", "Número"),
        ("pág.", "página"),
        ("24/7", "veinticuatro siete"),
    ],
    year_cues: "",
    not_counted: "a, al, ante, con, de, del, desde, el, en, entre, era, es, fue, hasta, la, las, \
                  los, ni, o, para, pero, por, que, si, sin, u, y, está",
    feminine_endings: "a, as, ción, ciones, dad, dades, sión, siones, noche, noches, veces, vez",
    masculine: "día, días, problema, problemas, programa, programas, mapa, mapas, tema, temas, \
                idioma, idiomas, sistema, sistemas, sofá, sofás",
};
