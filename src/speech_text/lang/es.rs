//! Spanish.

use super::super::language::{
    Answers, Currency, Form, Language, Maths, PersonRequests, Search, Stops, Words, cents,
    currency, multiplier, noun, unit,
};
use super::numerals::es::{cardinal, date, decade, ordinal, regnal, time, year};
use super::{cues, wishes};

const M: Form = Form::Masculine;
const F: Form = Form::Feminine;

const EURO: Currency = cents(
    &["cts", "cts.", "cént."],
    currency(&["€", "EUR"], noun("euro", "euros", M), noun("céntimo", "céntimos", M)),
);

/// The peso of Mexico, Argentina, Chile, Colombia and others: what "$" means there.
pub(super) const PESO: Currency = currency(
    &["MXN", "ARS", "COP", "CLP", "UYU", "DOP", "MX$", "AR$", "COL$", "CLP$"],
    noun("peso", "pesos", M),
    noun("centavo", "centavos", M),
);

pub(super) static SPANISH: Language = SPAIN;

/// Spanish as it is written in Spain, which a region changes.
pub(super) const SPAIN: Language = Language {
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
        titles: "señor, señora, sr, sra, srta, don, doña, doctor, doctora, dr, dra, profesor, \
                 profesora, marca",
        capitals: "usted, ustedes, ud, uds, iva, internet, navidad, euros",
    },
    stops: Stops {
        never_end: "ee, jj, ff, bs, gs, nro, sr, sra, srta, dr, dra, d.ª, prof, gen, ud, uds, p.ej, ej, av, avda, núm, pág, \
                    aprox, tel",
        may_end: "etc, s.a, s.l, n, p, pp, art, fig, vol, cap, min, h, kg",
    },
    cardinal,
    indian: None,
    ordinal,
    ordinal_form: |_| Form::Alone,
    year,
    date,
    decade,
    decade_marks: &["s", "'s", "’s"],
    regnal,
    time,
    decimal: ',',
    decimals_by_digit: false,
    singular_below_two: false,
    phone_in_pairs: false,
    seven_digit_phones: false,
    month_before_day: false,
    capital_names: false,
    capital_nouns: false,
    first_person_is_i: false,
    roman_before_name: true,
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
        at_most: "como máximo",
        at_least: "al menos",
        plus_minus: "más menos",
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
    maths: Maths {
        divided: "dividido entre",
        no_less: "es mayor o igual que",
        no_more: "es menor o igual que",
        unequal: "es distinto de",
        squared: "al cuadrado",
        cubed: "al cubo",
        power: "elevado a",
        root: "raíz cuadrada de",
    },
    million_of: |_| "de ",
    cents_join: " con ",
    cents_named: true,
    own: &EURO,
    currencies: &[
        EURO,
        cents(
            &["¢"],
            currency(
                &["$", "US$", "USD", "U$S", "u$s"],
                noun("dólar", "dólares", M),
                noun("centavo", "centavos", M),
            ),
        ),
        currency(&["£", "GBP"], noun("libra", "libras", F), noun("penique", "peniques", M)),
        currency(&["R$", "BRL"], noun("real", "reales", M), noun("centavo", "centavos", M)),
        currency(&["¥", "JPY"], noun("yen", "yenes", M), noun("", "", M)),
        currency(&["CHF"], noun("franco", "francos", M), noun("céntimo", "céntimos", M)),
        currency(&["₹", "INR"], noun("rupia", "rupias", F), noun("paisa", "paisas", F)),
        PESO,
        currency(&["S/", "S/.", "PEN"], noun("sol", "soles", M), noun("céntimo", "céntimos", M)),
        currency(&["₡", "CRC"], noun("colón", "colones", M), noun("céntimo", "céntimos", M)),
        currency(
            &["Bs.", "Bs"],
            noun("boliviano", "bolivianos", M),
            noun("centavo", "centavos", M),
        ),
        currency(&["₲", "Gs.", "PYG"], noun("guaraní", "guaraníes", M), noun("", "", M)),
    ],
    multipliers: &[
        multiplier(&["k", "K", "mil"], 1000, noun("mil", "mil", M)),
        multiplier(&["M", "MM", "millón", "millones"], 1_000_000, noun("millón", "millones", M)),
    ],
    units: &[
        unit(&["ft", "′"], noun("pie", "pies", M)),
        unit(&["″"], noun("pulgada", "pulgadas", F)),
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
        ("EE. UU.", "Estados Unidos"),
        ("EE.UU.", "Estados Unidos"),
        ("EE UU", "Estados Unidos"),
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
        ("c/u", "cada uno"),
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
    cues: &cues::SPANISH,
    not_counted: "a, al, ante, con, de, del, desde, el, en, entre, era, es, fue, hasta, la, las, \
                  los, ni, o, para, pero, por, que, si, sin, u, y, está",
    feminine_endings: "a, as, ción, ciones, dad, dades, sión, siones, noche, noches, veces, vez",
    masculine: "día, días, problema, problemas, programa, programas, mapa, mapas, tema, temas, \
                idioma, idiomas, sistema, sistemas, sofá, sofás",
};
