//! Portuguese, with the number words of Brazil.

use super::super::language::{
    Answers, Currency, Form, Language, Maths, PersonRequests, Search, Stops, Words, currency,
    multiplier, noun, unit,
};
use super::numerals::pt::{cardinal, date, decade, ordinal, regnal, time, year};
use super::{cues, wishes};

const M: Form = Form::Masculine;
const F: Form = Form::Feminine;

const REAL: Currency =
    currency(&["R$", "BRL"], noun("real", "reais", M), noun("centavo", "centavos", M));

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
        titles: "senhor, senhora, sr, sra, dona, doutor, doutora, dr, dra, professor, \
                 professora, marca",
        capitals: "você, internet, natal, páscoa, iva, reais, euros",
    },
    stops: Stops {
        never_end: "sr, sra, dr, dra, prof, exmo, exma, p.ex, ex, av, pág, aprox, tel",
        may_end: "etc, s.a, n, p, pp, art, fig, vol, cap, min, h, kg",
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
    singular_below_two: true,
    phone_in_pairs: false,
    seven_digit_phones: false,
    month_before_day: false,
    capital_names: false,
    capital_nouns: false,
    first_person_is_i: false,
    roman_before_name: true,
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
        at_most: "no máximo",
        at_least: "pelo menos",
        plus_minus: "mais ou menos",
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
    maths: Maths {
        divided: "dividido por",
        no_less: "é maior ou igual a",
        no_more: "é menor ou igual a",
        unequal: "é diferente de",
        squared: "ao quadrado",
        cubed: "ao cubo",
        power: "elevado a",
        root: "raiz quadrada de",
    },
    million_of: |_| "de ",
    cents_join: " e ",
    cents_named: true,
    own: &REAL,
    currencies: &[
        REAL,
        currency(&["€", "EUR"], noun("euro", "euros", M), noun("cêntimo", "cêntimos", M)),
        currency(&["$", "US$", "USD"], noun("dólar", "dólares", M), noun("centavo", "centavos", M)),
        currency(&["£", "GBP"], noun("libra", "libras", F), noun("pêni", "pence", M)),
        currency(&["¥", "JPY"], noun("iene", "ienes", M), noun("", "", M)),
        currency(&["CHF"], noun("franco", "francos", M), noun("cêntimo", "cêntimos", M)),
        currency(&["₹", "INR"], noun("rupia", "rupias", F), noun("paisa", "paisas", F)),
        currency(
            &["MXN", "ARS", "CLP", "COP"],
            noun("peso", "pesos", M),
            noun("centavo", "centavos", M),
        ),
    ],
    multipliers: &[
        multiplier(&["k", "K", "mil"], 1000, noun("mil", "mil", M)),
        multiplier(&["M", "mi", "milhão", "milhões"], 1_000_000, noun("milhão", "milhões", M)),
        multiplier(&["bi", "bilhão", "bilhões"], 1_000_000_000, noun("bilhão", "bilhões", M)),
        multiplier(
            &["tri", "trilhão", "trilhões"],
            1_000_000_000_000,
            noun("trilhão", "trilhões", M),
        ),
    ],
    units: &[
        unit(&["ft", "′"], noun("pé", "pés", M)),
        unit(&["″"], noun("polegada", "polegadas", F)),
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
    cues: &cues::PORTUGUESE,
    not_counted: "a, ao, as, com, da, das, de, do, dos, e, em, era, foi, mas, na, nas, no, nos, o, \
                  os, ou, para, por, que, se, sem, até, é, está",
    feminine_endings: "a, as, ção, ções, dade, dades, noite, noites, vez, vezes",
    masculine: "dia, dias, problema, problemas, programa, programas, mapa, mapas, tema, temas, \
                idioma, idiomas, sistema, sistemas, grama, gramas",
};
