//! Portuguese, with the number words of Brazil.

use super::super::language::{
    Answers, Date, Form, Language, PersonRequests, Search, Stops, Time, Words, currency,
    multiplier, noun, unit,
};
use super::{BILLION, entry, triples, wishes};

const BELOW_TWENTY: &str = "zero, um, dois, três, quatro, cinco, seis, sete, oito, nove, dez, \
                            onze, doze, treze, catorze, quinze, dezesseis, dezessete, dezoito, \
                            dezenove";
const TENS: &str = "-, -, vinte, trinta, quarenta, cinquenta, sessenta, setenta, oitenta, noventa";
const HUNDREDS: &str = "-, cento, duzentos, trezentos, quatrocentos, quinhentos, seiscentos, \
                        setecentos, oitocentos, novecentos";
const ORDINALS: &str =
    "zero, primeiro, segundo, terceiro, quarto, quinto, sexto, sétimo, oitavo, nono";
const ORDINAL_TENS: &str = "-, décimo, vigésimo, trigésimo, quadragésimo, quinquagésimo, \
                            sexagésimo, septuagésimo, octogésimo, nonagésimo";

fn cardinal(n: u64, form: Form) -> String {
    if n >= BILLION {
        let billions = match n / BILLION {
            1 => "um bilhão".to_owned(),
            _ => format!("{} bilhões", cardinal(n / BILLION, Form::Masculine)),
        };
        return match n % BILLION {
            0 => billions,
            rest => format!("{billions} {}", cardinal(rest, form)),
        };
    }
    let (millions, thousands, rest) = triples(n);
    let mut said = match millions {
        0 => String::new(),
        1 => "um milhão".to_owned(),
        _ => format!("{} milhões", cardinal(millions, Form::Masculine)),
    };
    let mut add = |words: &str, with_and: bool| {
        if !said.is_empty() {
            said.push_str(if with_and { " e " } else { " " });
        }
        said.push_str(words);
    };
    match thousands {
        0 => {}
        1 => add("mil", rest == 0),
        _ => add(&format!("{} mil", below_thousand(thousands, form)), rest == 0),
    }
    if rest > 0 || n == 0 {
        add(&below_thousand(rest, form), rest < 100 || rest % 100 == 0);
    }
    said
}

fn below_thousand(n: u64, form: Form) -> String {
    if n == 100 {
        return "cem".to_owned();
    }
    let feminine = form == Form::Feminine;
    let mut parts = Vec::new();
    if n > 100 {
        let hundreds = entry(HUNDREDS, n / 100);
        let agree = feminine && n >= 200;
        parts.push(if agree {
            format!("{}as", hundreds.trim_end_matches("os"))
        } else {
            hundreds.to_owned()
        });
    }
    let mut small = n % 100;
    if small >= 20 {
        parts.push(entry(TENS, small / 10).to_owned());
        small %= 10;
    }
    if small > 0 || n == 0 {
        parts.push(match small {
            1 if feminine => "uma".to_owned(),
            2 if feminine => "duas".to_owned(),
            _ => entry(BELOW_TWENTY, small).to_owned(),
        });
    }
    parts.join(" e ")
}

fn ordinal(n: u64, form: Form) -> String {
    let word = match n {
        1..10 => entry(ORDINALS, n).to_owned(),
        10..100 if n.is_multiple_of(10) => entry(ORDINAL_TENS, n / 10).to_owned(),
        10..100 => format!("{} {}", entry(ORDINAL_TENS, n / 10), entry(ORDINALS, n % 10)),
        _ => return cardinal(n, form),
    };
    if form != Form::Feminine {
        return word;
    }
    let words = word.split(' ').map(|word| format!("{}a", &word[..word.len() - 1]));
    words.collect::<Vec<_>>().join(" ")
}

fn year(n: u64) -> String {
    cardinal(n, Form::Alone)
}

fn date(date: Date, _: &str) -> String {
    let month = PORTUGUESE.months[date.month - 1][0];
    let year = date.year.map(|n| format!(" de {}", year(n))).unwrap_or_default();
    let day = match date.day {
        1 => "primeiro".to_owned(),
        day => cardinal(day, Form::Alone),
    };
    format!("{day} de {month}{year}")
}

fn time(time: Time) -> String {
    let hour = cardinal(time.hour, Form::Feminine);
    let part = match (time.half, time.hour_of_day()) {
        (None, _) => "",
        (_, 0..6) => " da madrugada",
        (_, 6..12) => " da manhã",
        (_, 12) => " do meio-dia",
        (_, 13..19) => " da tarde",
        _ => " da noite",
    };
    match time.minute {
        0 if time.bare || !part.is_empty() => format!("{hour}{part}"),
        0 if time.hour < 2 => format!("{hour} hora"),
        0 => format!("{hour} horas"),
        30 if time.hour <= 12 => format!("{hour} e meia{part}"),
        minute => format!("{hour} e {}{part}", cardinal(minute, Form::Masculine)),
    }
}

const M: Form = Form::Masculine;
const F: Form = Form::Feminine;

pub(super) static PORTUGUESE: Language = Language {
    code: "pt",
    wishes: wishes::PORTUGUESE,
    person: PersonRequests {
        requests: "falar com @, falar diretamente com @, falar por telefone com @, conversar com \
                   @, passar com @, me conecta com @, me conecte com @, me conectar com @, me \
                   coloca em contato com @, em contato com @, em contacto com @, contatar @, \
                   contactar @, atendimento humano, atendimento com @, atendimento por @, atendido \
                   por @, atendida por @, quero @ ., preciso de @ ., preciso @ ., gostaria de @ ., \
                   prefiro @ ., chama @ ., chame @ ., chamar @ ., @ me ligue, @ me ligar, @ pode \
                   me ligar, me liguem, me liga ., me ligue ., tem @ com quem, me passa @, me \
                   passe @, me passar @, me transfere @, me transfira @, transferir @, transfira \
                   me @, me encaminha @, me encaminhe @, encaminhar @, tem @ * que possa, tem @ * \
                   para falar, ajuda de @, ajuda humana",
        people: "pessoa, pessoas, humano, humana, ser humano, atendente, agente, operador, \
                 operadora, representante, alguém, funcionário, funcionária, consultor, \
                 consultora, gerente, supervisor, supervisora, chefe, responsável, vendedor, \
                 vendedora, colega, técnico, dono, dona, recepção, equipe, equipa, suporte, \
                 suporte técnico, atendimento, atendimento ao cliente, serviço ao cliente, apoio \
                 ao cliente, sac",
        alone: "atendente, humano, ser humano, agente, operador, operadora, representante, pessoa \
                real, pessoa de verdade, atendimento humano, atendimento ao cliente, suporte",
        before: "um, uma, o, a, os, as, algum, alguma, seu, sua, seus, teu, tua, vosso, outro, \
                 outra, de, do, da, verdadeiro, para, pra, pro, com",
        around: "por, favor, agora, já, obrigado, obrigada, olá, oi, sim, real, humana, humano, \
                 de, verdade, que, e, não, aqui, mesmo, urgente",
        not: "não quero, não queria, não preciso, não gostaria de, não precisa, ter que, ter de, \
              precisar, sem, acabei de, acabamos de, consegui, depois de, antes de, em vez de, não",
    },
    answers: Answers {
        yes: "sim, sim por favor, isso, isso mesmo, sim isso mesmo, certo, correto, exato, \
              exatamente",
        no: "não, não não, errado, não é isso, isso não, incorreto",
    },
    search: Search {
        common: "a, ao, aos, as, com, como, da, das, de, do, dos, e, é, ela, ele, em, essa, esse, \
                 esta, está, estão, eu, favor, foi, há, hoje, isso, já, lhe, mais, mas, me, meu, \
                 minha, muito, na, não, nas, no, nos, o, onde, os, ou, para, pela, pelo, por, \
                 posso, pode, qual, quando, quanto, que, quem, quero, se, seu, seus, são, sua, \
                 tem, têm, um, uma, vocês, você",
        courtesies: "olá, oi, bom, boa, dia, tarde, obrigado, obrigada",
    },
    stops: Stops {
        never_end: "sr, sra, dr, dra, prof, exmo, exma, p.ex, ex, av, pág, aprox, tel",
        may_end: "etc, s.a, n, p, pp, art, fig, vol, cap, min, h, kg",
    },
    cardinal,
    ordinal,
    ordinal_form: |_| Form::Alone,
    year,
    date,
    time,
    decimal: ',',
    decimals_by_digit: false,
    singular_below_two: true,
    phone_in_pairs: false,
    seven_digit_phones: false,
    month_before_day: false,
    capital_names: false,
    capital_nouns: false,
    words: Words {
        point: "vírgula",
        minus: "menos",
        plus: "mais",
        equals: "igual a",
        times: "vezes",
        and: "e",
        percent: "por cento",
        to: "a",
        ratio: "a",
        out_of: "de",
        about: "cerca de",
        less: "menos de",
        more: "mais de",
        per: "por",
        number: "número",
        at: "arroba",
        dot: "ponto",
        slash: "barra",
        hyphen: "hífen",
        underscore: "underline",
        hashtag: "hashtag",
        half: "meio",
        half_a: "meio",
        and_half: " e meio",
        long_link: "o link que envio por escrito",
        code: "Deixo o código de fora.",
    },
    million_of: |_| "de ",
    cents_join: " e ",
    cents_named: true,
    currencies: &[
        currency(&["R$", "BRL"], noun("real", "reais", M), noun("centavo", "centavos", M)),
        currency(&["€", "EUR"], noun("euro", "euros", M), noun("cêntimo", "cêntimos", M)),
        currency(&["$", "US$", "USD"], noun("dólar", "dólares", M), noun("centavo", "centavos", M)),
        currency(&["£", "GBP"], noun("libra", "libras", F), noun("pêni", "pence", M)),
        currency(&["¥", "JPY"], noun("iene", "ienes", M), noun("", "", M)),
        currency(&["CHF"], noun("franco", "francos", M), noun("cêntimo", "cêntimos", M)),
        currency(&["₹", "INR"], noun("rupia", "rupias", F), noun("paisa", "paisas", F)),
        currency(&["MXN"], noun("peso", "pesos", M), noun("centavo", "centavos", M)),
    ],
    multipliers: &[
        multiplier(&["k", "K", "mil"], 1000, noun("mil", "mil", M)),
        multiplier(&["M", "mi", "milhão", "milhões"], 1_000_000, noun("milhão", "milhões", M)),
    ],
    units: &[
        unit(&["km"], noun("quilômetro", "quilômetros", M)),
        unit(&["m"], noun("metro", "metros", M)),
        unit(&["cm"], noun("centímetro", "centímetros", M)),
        unit(&["mm"], noun("milímetro", "milímetros", M)),
        unit(&["kg"], noun("quilo", "quilos", M)),
        unit(&["g"], noun("grama", "gramas", M)),
        unit(&["mg"], noun("miligrama", "miligramas", M)),
        unit(&["t"], noun("tonelada", "toneladas", F)),
        unit(&["l", "L"], noun("litro", "litros", M)),
        unit(&["ml", "mL"], noun("mililitro", "mililitros", M)),
        unit(&["cl"], noun("centilitro", "centilitros", M)),
        unit(&["m²", "m2"], noun("metro quadrado", "metros quadrados", M)),
        unit(&["km²", "km2"], noun("quilômetro quadrado", "quilômetros quadrados", M)),
        unit(&["m³", "m3"], noun("metro cúbico", "metros cúbicos", M)),
        unit(&["km/h"], noun("quilômetro por hora", "quilômetros por hora", M)),
        unit(&["°C", "ºC", "℃"], noun("grau", "graus", M)),
        unit(&["°F", "ºF"], noun("grau Fahrenheit", "graus Fahrenheit", M)),
        unit(&["°"], noun("grau", "graus", M)),
        unit(&["h", "hs"], noun("hora", "horas", F)),
        unit(&["min"], noun("minuto", "minutos", M)),
        unit(&["s", "seg"], noun("segundo", "segundos", M)),
        unit(&["kB", "KB"], noun("kilobyte", "kilobytes", M)),
        unit(&["MB"], noun("mega", "megas", M)),
        unit(&["GB"], noun("giga", "gigas", M)),
        unit(&["TB"], noun("tera", "teras", M)),
        unit(&["Mbps", "Mbit/s"], noun("mega por segundo", "megas por segundo", M)),
        unit(&["W"], noun("watt", "watts", M)),
        unit(&["kW"], noun("quilowatt", "quilowatts", M)),
        unit(&["kWh"], noun("quilowatt-hora", "quilowatts-hora", M)),
        unit(&["V"], noun("volt", "volts", M)),
        unit(&["x"], noun("vez", "vezes", F)),
        unit(&["un.", "un"], noun("unidade", "unidades", F)),
    ],
    months: [
        &["janeiro", "jan"],
        &["fevereiro", "fev"],
        &["março", "mar"],
        &["abril", "abr"],
        &["maio", "mai"],
        &["junho", "jun"],
        &["julho", "jul"],
        &["agosto", "ago"],
        &["setembro", "set"],
        &["outubro", "out"],
        &["novembro", "nov"],
        &["dezembro", "dez"],
    ],
    weekdays: [
        &["segunda", "seg"],
        &["terça", "ter"],
        &["quarta", "qua"],
        &["quinta", "qui"],
        &["sexta", "sex"],
        &["sábado", "sáb", "sab"],
        &["domingo", "dom"],
    ],
    day_to_month: &[" de ", " "],
    month_to_year: &[" de ", " "],
    day_cues: "dia",
    hour_units: "hs, hrs, horas, h",
    parts: [
        ("meio", "meios"),
        ("terço", "terços"),
        ("quarto", "quartos"),
        ("quinto", "quintos"),
        ("sexto", "sextos"),
        ("sétimo", "sétimos"),
        ("oitavo", "oitavos"),
        ("nono", "nonos"),
        ("décimo", "décimos"),
    ],
    ordinal_marks: &[(".º", M), (".ª", F), ("º", M), ("ª", F), ("°", M), ("o", M), ("a", F)],
    dotted_ordinals: None,
    list: "Primeiro, Segundo, Terceiro, Quarto, Quinto, Sexto, Sétimo, Oitavo, Nono, Décimo",
    replacements: &[
        ("p. ex.", "por exemplo"),
        ("p.ex.", "por exemplo"),
        ("ex.:", "por exemplo:"),
        ("etc.", "etcétera"),
        ("Sr.", "senhor"),
        ("Sra.", "senhora"),
        ("Dr.", "doutor"),
        ("Dra.", "doutora"),
        ("Av.", "avenida"),
        ("R.", "rua"),
        ("aprox.", "aproximadamente"),
        ("tel.", "telefone"),
        ("Tel.", "Telefone"),
        ("n.º", "número"),
        ("nº", "número"),
        ("Nº", "Número"),
        ("N.º", "Número"),
        ("pág.", "página"),
        ("24/7", "vinte e quatro horas por dia, sete dias por semana"),
    ],
    year_cues: "",
    not_counted: "a, ao, as, com, da, das, de, do, dos, e, em, era, foi, mas, na, nas, no, nos, o, \
                  os, ou, para, por, que, se, sem, até, é, está",
    feminine_endings: "a, as, ção, ções, dade, dades, noite, noites, vez, vezes",
    masculine: "dia, dias, problema, problemas, programa, programas, mapa, mapas, tema, temas, \
                idioma, idiomas, sistema, sistemas, grama, gramas",
};
