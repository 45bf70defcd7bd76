//! French.

use super::Cues;

pub(in super::super) static FRENCH: Cues = Cues {
    codes: "vérification, code, codes, pin, otp, passe, cvv, cvc, postal, cp, iban, siren, siret, passeport, \
            termine, terminant, finissant, finit, chiffres, série, tva, rib",
    named: "commande, réservation, référence, réf, ref, compte, ticket, billet, facture, reçu, \
            suivi, colis, envoi, dossier, demande, client, cliente, adhérent, police, contrat, \
            confirmation, vol, modèle, carte, transaction, matricule, article, chambre",
    calls: "appelez, appelle, appeler, composez, compose, téléphone, tél, tel, portable, mobile, fax, \
            whatsapp, urgence, urgences, poste, pompiers, samu, faites",
    links: "est, sont, était, comme, numéro, n, no, nº, n°, de, du, la, le, les, votre, ton, mon, notre, \
            un, une, par, en, avec, au, à, ou, et, nous, vérification, sécurité, accès, confirmation",
    is: "est, sont, comme, numéro, no, nº, n°",
    counted: "personnes, gens, plus, mille",
    choices: "appuyez, tapez, touche, option, options, choisissez, répondez, envoyez, ou",
    sources: "source, sources, doc, document, réf, ref, référence, citation, fichier",
    versions: "version, versions, v, firmware, mise",
    years: "",
    days: "le, du",
    decades: "les, années, décennie, des, et, ou",
    clock: "à, dès, de, depuis, jusqu'à, avant, après, vers, heure",
    lasts: "dure, duré, durent, durée, prend, pris, temps, pendant",
    long: "min, minutes, mins",
    hours: "ouvert, ouverte, ouverts, horaires, horaire, heures",
    until: "à, au",
    chapters: "chapitre, chapitres, acte, partie, tome, volume, livre, section, phase, type, classe, \
               niveau, titre, article, annexe, figure, tableau, scène, unité, guerre, mondiale, étape, \
               saison",
    centuries: "siècle, siècles",
    kings: "louis, henri, charles, philippe, françois, napoléon, jean, paul, pie, benoît, léon, \
            georges, édouard, guillaume, ivan, nicolas, alexandre, frédéric, grégoire, innocent, \
            clément, urbain, ramsès, richard, jacques, albert, léopold, baudouin, felipe",
    queens: "élisabeth, elizabeth, catherine, marie, jeanne, victoria, marguerite, isabelle, cléopâtre",
    callouts: "Remarque, Astuce, Important, Attention, Prudence",
    per: &[("h", "heure"), ("pers", "personne"), ("j", "jour"), ("sem", "semaine"), ("an", "an")],
};
