//! Portuguese.

use super::Cues;

pub(in super::super) static PORTUGUESE: Cues = Cues {
    codes: "verificação, código, codigo, códigos, pin, otp, senha, cvv, cvc, cep, postal, iban, cpf, cnpj, rg, nif, \
            nit, passaporte, termina, terminado, terminada, final, dígitos, série, protocolo, pis",
    named: "pedido, reserva, referência, ref, conta, agência, ticket, bilhete, fatura, recibo, \
            rastreio, rastreamento, envio, caso, solicitação, cliente, sócio, apólice, ordem, \
            confirmação, voo, modelo, processo, cartão, transação, matrícula, nota, encomenda, \
            chamado, item, quarto",
    calls: "ligue, liga, ligar, disque, telefone, tel, fone, celular, cel, telemóvel, fax, whatsapp, \
            zap, emergência, emergências, ramal, polícia, ambulância, bombeiros, samu",
    links: "é, são, era, como, número, numero, núm, nº, n.º, n, no, de, do, da, o, a, os, seu, sua, teu, \
            meu, um, uma, em, com, ao, para, ou, e, por, verificação, segurança, acesso, confirmação",
    is: "é, são, como, número, numero, núm, nº, n.º",
    counted: "pessoas, gente, mais, mil",
    choices: "pressione, opção, opções, escolha, digite, tecle, aperte, responda, envie, ou",
    sources: "fonte, fontes, doc, documento, ref, referência, citação, arquivo, source",
    versions: "versão, v, firmware, atualização",
    years: "",
    days: "dia",
    decades: "os, anos, década, de, e, ou, dos, nos",
    clock: "a, às, as, à, ao, desde, até, das, hora",
    lasts: "dura, durou, duram, duração, demora, demorou, leva, levou, tempo, durante",
    long: "min, minutos, mins",
    hours: "aberto, aberta, abrimos, abre, horário, horários, diariamente",
    until: "a, à, até, ao",
    chapters: "capítulo, capítulos, ato, parte, tomo, volume, livro, seção, secção, fase, tipo, \
               classe, nível, título, artigo, anexo, figura, tabela, cena, unidade, guerra, mundial, \
               etapa, grau, temporada",
    centuries: "século, séculos",
    kings: "luís, luis, filipe, felipe, afonso, carlos, fernando, joão, paulo, henrique, pedro, pio, \
            bento, francisco, leão, jorge, eduardo, guilherme, napoleão, ivan, nicolau, alexandre, \
            frederico, gregório, inocêncio, clemente, urbano, ramsés, ricardo, manuel, sancho, \
            miguel, josé",
    queens: "isabel, elizabeth, catarina, maria, joana, vitória, margarida, cleópatra, ana",
    callouts: "Nota, Dica, Importante, Aviso, Cuidado",
    per: &[("h", "hora"), ("pess", "pessoa"), ("un", "unidade"), ("sem", "semana"), ("m", "mês")],
};
