//! Spanish.

use super::Cues;

pub(in super::super) static SPANISH: Cues = Cues {
    codes: "verificación, código, codigo, códigos, pin, otp, clave, contraseña, cvv, cvc, postal, cp, iban, dni, \
            nie, nif, cif, rut, run, rfc, curp, cuit, cuil, cédula, cedula, pasaporte, termina, \
            terminada, terminado, terminan, acaba, dígitos, serie, nit, ruc",
    named: "pedido, reserva, reservación, referencia, ref, cuenta, ticket, boleto, factura, recibo, \
            guía, seguimiento, rastreo, envío, caso, solicitud, cliente, socio, póliza, orden, \
            confirmación, vuelo, modelo, expediente, tarjeta, transacción, matrícula, folio, \
            comprobante, artículo, habitación",
    calls: "llame, llama, llamar, llamen, llámenos, marque, marca, marcar, teléfono, telefono, tel, \
            tfno, móvil, movil, celular, cel, fax, whatsapp, emergencia, emergencias, extensión, \
            interno, anexo, policía, ambulancia, bomberos",
    links: "es, son, era, como, número, numero, núm, no, nro, n, nº, n.º, de, del, el, la, los, su, tu, \
            mi, un, una, en, con, al, a, o, y, por, verificación, seguridad, acceso, confirmación",
    is: "es, son, como, número, numero, núm, nro, nº, n.º",
    counted: "personas, gente, más, mil",
    choices: "pulse, pulsa, presione, presiona, opción, opciones, elija, elige, marque, marca, \
              escriba, escribe, responda, responde, envíe, envía, oprima, o",
    sources: "fuente, fuentes, doc, documento, ref, referencia, cita, archivo, source",
    versions: "versión, version, v, firmware, actualización",
    years: "",
    days: "el, al, del, día",
    decades: "los, años, década, de, y, o, las",
    clock: "a, las, la, desde, hasta, hora",
    lasts: "dura, duró, duran, duración, tarda, tardó, tiempo, durante",
    long: "min, minutos, mins",
    hours: "abierto, abierta, abrimos, abre, horario, horarios, diario, diariamente",
    until: "a, al",
    chapters: "capítulo, capítulos, acto, parte, tomo, volumen, libro, sección, fase, tipo, clase, \
               nivel, título, artículo, anexo, figura, tabla, escena, unidad, guerra, mundial, etapa, \
               grado, temporada",
    centuries: "siglo, siglos",
    kings: "luis, felipe, alfonso, carlos, fernando, juan, pablo, enrique, jaime, sancho, pedro, \
            pío, benedicto, francisco, león, jorge, eduardo, guillermo, napoleón, iván, nicolás, \
            alejandro, federico, gregorio, inocencio, clemente, urbano, ramsés, ricardo, jacobo, \
            amadeo, maximiliano",
    queens: "isabel, catalina, maría, juana, victoria, margarita, cleopatra, ana",
    callouts: "Nota, Consejo, Importante, Advertencia, Precaución",
    per: &[("h", "hora"), ("hr", "hora"), ("pers", "persona"), ("ud", "unidad"), ("sem", "semana")],
};
