//! Reads tables as spreadsheets save them: any separator, empty rows, titles, any columns.
//!
//! With a column of questions and one of answers a row is a question with its answer; the other
//! columns are searched and not said. Any other row says all that it holds: "name: Tea, price: 3".

use super::KnowledgeError;
use super::rows::{TableRow, cut};
use super::source::Passage;
use crate::written::without_accents;

/// Lists the names of the two columns, in lower case and without accents.
const QUESTION: &str = "question questions q frage fragen pregunta preguntas pergunta perguntas \
                        domanda domande vraag vragen fraga sporsmal pytanie pytania otazka soru \
                        pertanyaan вопрос вопросы питання سؤال 问题 質問 प्रश्न";
const ANSWER: &str = "answer answers a antwort antworten respuesta respuestas resposta respostas \
                      reponse reponses risposta risposte antwoord antwoorden svar odpowiedz \
                      odpowiedzi odpoved cevap yanit jawaban ответ ответы відповідь جواب 答案 回答 उत्तर";

/// Lists the names of a column of prices, and how people ask for what is in it.
const PRICE: &str = "price prices cost preis preise kosten precio precios costo coste preco precos \
                     valor custo prix tarif tarifs prezzo prezzi prijs pris cena pret fiyat harga цена";
const PRICE_ASKED: &str = "price prices cost costs preis preise kostet kosten teuer precio precios \
                           cuesta cuestan vale preço preços custa custam prix coûte coûtent tarif \
                           prezzo costa costano prijs kost kostar koster cena kosztuje costă fiyat \
                           harga цена стоит";

/// Limits the name of a column, in characters: a sentence is no name.
const LONGEST_NAME: usize = 60;

/// Reads a table.
pub(super) fn passages(file: &str, contents: &str) -> Result<Vec<Passage>, KnowledgeError> {
    let broken =
        |line: u64, reason: String| KnowledgeError::Line { file: file.to_owned(), line, reason };
    let names_both = |header: &[String]| Columns::new(header.to_vec()).asked.is_some();
    let (separator, rows) =
        cut(contents, names_both).map_err(|(line, reason)| broken(line, reason))?;
    let mut rows = rows.into_iter().peekable();
    let mut passages = Vec::new();
    // A title over the table stands alone in its row.
    while let Some(title) = rows.next_if(|row| row.cells.len() > 1 && filled(row).count() == 1) {
        let answer = filled(&title).cloned().collect();
        passages.push(Passage::without_question(answer, String::new()));
    }
    let Some(header) = rows.next() else { return Ok(Vec::new()) };
    let sentence = |name: &String| {
        let ends = name.ends_with(['?', '？', '؟', '.', '!']) && name.split(' ').count() > 2;
        ends || name.chars().count() > LONGEST_NAME
    };
    if header.cells.iter().any(sentence) {
        let reason = "the first row must name the columns, such as question,answer or name,price";
        return Err(broken(header.line, reason.to_owned()));
    }
    let rows: Vec<TableRow> = rows.collect();
    let mut columns = Columns::new(header.cells);
    if columns.asked.is_none() && columns.names.len() > 1 && rows.iter().all(asks) {
        columns.asked = Some((0, 1));
    }
    for row in rows {
        let line = row.line;
        passages.push(columns.passage(row, separator).map_err(|reason| broken(line, reason))?);
    }
    Ok(passages)
}

/// Returns whether a row begins with a question; a header in any language may stand over it.
fn asks(row: &TableRow) -> bool {
    row.cells.first().is_some_and(|cell| cell.ends_with(['?', '？', '؟', '՞', ';']))
}

/// Holds what the header says.
struct Columns {
    names: Vec<String>,
    /// The columns of a question and its answer, if there are both.
    asked: Option<(usize, usize)>,
    /// What a row without a question is searched by beside its words.
    also: &'static str,
}

impl Columns {
    fn new(names: Vec<String>) -> Self {
        let find = |known: &str| {
            names.iter().position(|name| {
                let name = without_accents(&name.to_lowercase());
                known.split_whitespace().any(|known| known == name)
            })
        };
        let asked = find(QUESTION).zip(find(ANSWER));
        let also = if find(PRICE).is_some() { PRICE_ASKED } else { "" };
        Self { names, asked, also }
    }

    /// Makes a passage of a row; the error is a reason and a fix.
    fn passage(&self, row: TableRow, separator: u8) -> Result<Passage, String> {
        let TableRow { mut cells, .. } = row;
        let (has, wanted) = (cells.len(), self.names.len());
        if cells.iter().skip(wanted).any(|cell| !cell.is_empty()) {
            let separator = char::from(separator).escape_default();
            return Err(format!(
                "{has} columns where the header has {wanted}: put a text that contains {separator} \
                 into quotes"
            ));
        }
        cells.resize(wanted, String::new());
        let Some((question, answer)) = self.asked else {
            let named = self.names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            let only = wanted == 1;
            let said = named.map(|(name, cell)| match name.as_str() {
                _ if only => cell,
                "" => cell,
                name => format!("{name}: {cell}"),
            });
            let answer = said.collect::<Vec<_>>().join(", ");
            return Ok(Passage::without_question(answer, self.also.to_owned()));
        };
        for (at, name) in [(question, "question"), (answer, "answer")] {
            if cells[at].is_empty() {
                return Err(format!("the {name} is empty: fill it in, or delete the row"));
            }
        }
        let taken = |at: usize| at == question || at == answer;
        let also: Vec<&str> = (cells.iter().enumerate())
            .filter(|(at, _)| !taken(*at))
            .map(|(_, cell)| cell.as_str())
            .collect();
        let also = also.join(" ");
        let (question, answer) =
            (std::mem::take(&mut cells[question]), std::mem::take(&mut cells[answer]));
        Ok(Passage { question: Some(question), ..Passage::without_question(answer, also) })
    }
}

fn filled(row: &TableRow) -> impl Iterator<Item = &String> {
    row.cells.iter().filter(|cell| !cell.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(contents: &str) -> Vec<(Option<String>, String)> {
        let read = passages("a.csv", contents).unwrap();
        read.into_iter().map(|passage| (passage.question, passage.answer)).collect()
    }

    #[test]
    fn every_separator_and_name_is_understood() {
        let expected = [(Some("When?".to_owned()), "At nine, on Saturday at ten.".to_owned())];
        for contents in [
            "question;answer\r\nWhen?;At nine, on Saturday at ten.\r\n",
            "Frage\tAntwort\nWhen?\tAt nine, on Saturday at ten.\n",
            "Pregunta | Respuesta\nWhen? | At nine, on Saturday at ten.\n",
            "sep=;\r\nQUESTION;Answer\r\nWhen?;At nine, on Saturday at ten.\r\n",
            "\"Question\" ,\"Réponse\"\nWhen?,\"At nine, on Saturday at ten.\"\n",
            "Pergunta;Resposta;;\nWhen?;At nine, on Saturday at ten.;;\n;;;\n\n;;;\n",
            "Klausimas;Atsakymas\nWhen?;At nine, on Saturday at ten.\n",
            ";;\nQ;A;\nWhen?;At nine, on Saturday at ten.\n",
            "Question,Answer\rWhen?,\"At nine, on Saturday at ten.\"\r",
        ] {
            assert_eq!(said(contents), expected, "{contents}");
        }
        let lines = said("question,answer\nWhen?,\"At nine.\nOn Saturday at ten.\"\n");
        assert_eq!(lines[0].1, "At nine.\nOn Saturday at ten.");
    }

    #[test]
    fn products_with_any_columns_say_all_of_a_row() {
        let answers = |contents| said(contents).into_iter().map(|row| row.1).collect::<Vec<_>>();
        assert_eq!(
            answers("name;price;size\nTea;3,50;\nCoffee;2,80;250 g\n"),
            ["name: Tea, price: 3,50", "name: Coffee, price: 2,80, size: 250 g"]
        );
        assert_eq!(
            answers("Price list 2026;;\n;;\nname;price;\nTea;3;hot\n"),
            ["Price list 2026", "name: Tea, price: 3, hot"]
        );
        assert_eq!(
            answers("info\nWe open at nine, and close at six.\nDogs, cats: welcome\n"),
            ["We open at nine, and close at six.", "Dogs, cats: welcome"]
        );
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line_and_the_fix() {
        let refuses = |contents: &str, expected: &str| {
            assert_eq!(passages("a.csv", contents).unwrap_err().to_string(), expected);
        };
        refuses(
            "question,answer\nWhen?,At nine.\nWhere?,Here, in town.\n",
            "a.csv, line 3: 3 columns where the header has 2: put a text that contains , into \
             quotes",
        );
        refuses(
            "sep=;\nquestion;answer\nWhen?;\n",
            "a.csv, line 3: the answer is empty: fill it in, or delete the row",
        );
        refuses(
            "When do you open?,At nine.\nWhere are you?,Here.\n",
            "a.csv, line 1: the first row must name the columns, such as question,answer or \
             name,price",
        );
    }
}
