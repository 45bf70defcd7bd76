//! How people of each language ask to be answered in text or by voice.
//!
//! People who cannot hear, or not now, say so rather than ask; their words are requests, too.

use super::super::language::Wishes;

pub(super) const ENGLISH: Wishes = Wishes {
    text: "answer/reply/respond/message * in/by/via/with text/texts/writing, \
           write/text/message/type * instead, ^ write/text/message/type $, \
           ^ write/text/type back $, ^ in writing $, ^ by/as/via/in text/message/texts $, \
           ^ text/texts/writing $, ^ text/texts/writing only $, ^ only text/texts/writing $, \
           ^ no audio/audios/voice/voicemail/voicemails/recordings $, \
           ^ no more audio/audios/voice/voicemails/recordings $, \
           no voice/audio messages/notes/message/note/clips/recordings, \
           no more voice/audio messages/notes/message/note/clips, \
           don't/dont/never send/use/record/leave * audio/audios/voice/voicemails/recordings $, \
           don't/dont/never send/use/record/leave * audio/voice \
           messages/notes/message/note/clips/files/recordings, \
           do not send/use/record/leave * audio/audios/voice/voicemails/recordings $, \
           do not send/use/record/leave * audio/voice \
           messages/notes/message/note/clips/files/recordings, \
           don't/dont answer/reply/respond by/with/in voice/audio, \
           do not answer/reply/respond by/with/in voice/audio, \
           stop sending/using/with * audio/audios/voice/recordings $, \
           stop sending/using/with * audio/voice messages/notes/message/note/clips/recordings, \
           don't/dont want/like * audio/voice messages/notes/clips, \
           don't/dont want/like audio/audios $, ^ without audio/voice/sound $, i'm/im deaf, \
           i am deaf, i'm/im totally/completely/profoundly/partially/almost/also deaf, \
           i am totally/completely/profoundly/partially/almost/also deaf, ^ deaf $, \
           ^ deaf person/user/customer here $, i'm/im * hard of hearing, i am * hard of hearing, \
           i'm/im hearing impaired, i am hearing impaired, i have hearing loss/problems, \
           i have a hearing impairment/disability/problem, i can't/cant/cannot hear $, \
           i can't/cant/cannot hear well/anything/you/your/audio/audios/voice, \
           can't/cant/cannot/couldn't listen $, \
           can't/cant/cannot/couldn't listen * right/now/here/today/currently, \
           can't/cant/cannot/couldn't listen to * \
           audio/audios/voice/recordings/messages/notes/sound $, \
           can't/cant/cannot/couldn't listen to * audio/voice messages/notes/message/note/clips, \
           can't/cant/cannot/couldn't listen to it/them/this/that/you, can not listen/hear $, \
           can not listen * now/to, \
           can't/cant/cannot/couldn't play/open/hear your \
           audio/audios/voice/message/messages/recordings/recording, \
           not able/allowed to listen, unable to listen, i don't/dont hear well/anything, \
           i do not hear well/anything, i prefer * text/texts/writing/reading/read $, \
           i'd/i would rather read/text $, ^ rather text/writing $, \
           i'd/i rather/prefer you write/wrote/type/typed/text/texted $, \
           i'd/i would rather/prefer you write/wrote/type/typed/text/texted $, \
           ^ type/write * your/the answer/answers/reply/response $, \
           prefer written messages/answers/replies",
    voice: "answer/reply/respond * by/with/in/via voice/audio, answer/reply aloud, \
            ^ voice/audio messages/notes again $, ^ voice/audio/speak/talk again $, \
            ^ send * voice/audio notes/messages/note/message $, ^ send * audio/audios/voice $, \
            speak/talk to me again, ^ you can talk/speak $, ^ you can talk/speak again/now $, \
            ^ talk/speak $, ^ voice/audio $, ^ back to voice/audio $, \
            ^ voice/audio is fine/ok/okay/good $, can listen/hear/talk again/now, \
            ^ use * voice $, ^ use * voice again $",
    busy: "i'm/im in a/another/the meeting/class/lecture/library/call/conference, \
           i am in a/another/the meeting/class/lecture/library/call/conference, i'm/im in class, \
           i am in class, i'm/im at work/school, i am at work/school, \
           i'm/im at the office/doctor/library/cinema, i am at the office/doctor/library/cinema, \
           i'm/im on the/a train/bus/subway/metro/plane/tube/call, \
           i am on the/a train/bus/subway/metro/plane/tube/call, i'm/im on public transport, \
           i am on public transport",
    not: "don't, dont, not, never, didn't, why, can't, no, how, what, where, can i, could i, \
          may i, should i, i want to, i would like to, i'd like to, did you, do you, if",
    around: "please, pls, plz, kindly, can, could, you, would, will, just, from, now, on, \
             instead, hi, hello, hey, ok, okay, thanks, thank, and, i, want, like, to, me, \
             again, yes, right, moment, at, the, sorry, currently, so, but, because, as, only, \
             here, then, better, any, today, good, morning, afternoon, evening, there, since, \
             it, is",
};

pub(super) const SPANISH: Wishes = Wishes {
    text: "responde/responda/respondan/respóndeme/respóndame/respóndanme/contesta/conteste/contéstame/contésteme/respondes/contestas \
           * con/por/en texto/textos/escrito/mensaje, \
           responder/responderme/contestar/contestarme * por/en/con texto/escrito, \
           ^ \
           escríbeme/escríbame/escríbanme/escribime/escribe/escriba/escriban/escribir/escribirme/escribes/escríbelo \
           $, \
           ^ por/en escrito/texto $, ^ por mensaje de texto $, ^ texto $, \
           ^ solo/sólo/solamente/únicamente texto/textos/escrito $, \
           ^ mejor por/en texto/escrito $, ^ mejor escrito/escribe/escríbeme/texto $, \
           prefiero * escrito/texto/textos/leer $, prefiero que * escribas/escriba/escriban $, ^ sin audio/audios/voz $, \
           ^ nada de audio/audios/voz $, ^ no audio/audios/voz $, ^ no más audio/audios/voz $, \
           sin audios por favor, \
           no * mandes/mande/manden/envíes/envíe/envíen/grabes/grabe/graben/mandar/enviar * \
           audio/audios/voz, \
           no * respondas/responda/respondan/contestes/conteste * con/por/en audio/audios/voz, \
           no quiero * audio/audios $, \
           deja/deje/dejen de mandar/mandarme/enviar/enviarme audio/audios, \
           soy sordo/sorda/sordomudo/sordomuda/hipoacúsico/hipoacúsica, estoy sordo/sorda, \
           ^ sordo/sorda $, tengo problemas de audición/oído, tengo discapacidad auditiva, \
           no puedo/podemos escuchar/oír/oir $, \
           no puedo/podemos escuchar/oír/oir/abrir/reproducir * audio/audios/voz $, \
           no puedo/podemos escuchar/oír/oir * ahora/aquí/momento, \
           no puedo escucharte/escucharlo/escucharlos/escucharle/oírte/oírlo/oírlos/escucharla, \
           no puedo escuchar mensajes/notas de voz, no oigo/escucho $, \
           no oigo/escucho bien/nada $, no * oigo/escucho * audios",
    voice: "responde/responda/respóndeme/respóndame/contesta/contéstame/contesta/conteste * \
            con/por/en voz/audio/audios, \
            ^ \
            mándame/mándeme/envíame/envíeme/manda/mande/envía/envíe/mandar/enviar/mandarme/enviarme \
            * audio/audios/voz $, \
            háblame/hábleme otra vez, háblame/hábleme de nuevo, ^ háblame/hábleme/habla/hable $, \
            ^ puedes/puede/pueden hablar/hablarme $, ^ ya puedes/puede/pueden hablar/hablarme $, \
            ^ voz/audio/audios $, ^ por/con/en voz/audio $, ya puedo escuchar/oír/oir/hablar, \
            puedo escuchar/oír otra vez, puedo escuchar/oír de nuevo",
    busy: "estoy en * \
           reunión/clase/trabajo/tren/metro/autobús/bus/biblioteca/oficina/hospital/cine, \
           estoy trabajando/reunido/reunida, estoy en clases",
    not: "no, nunca, cómo, por qué, dónde, si",
    around: "por, favor, puedes, puede, pueden, podrías, podría, podrían, a, partir, de, ahora, \
             hola, gracias, me, otra, vez, lo, mejor, ya, es, que, mismo, momento, este, en, \
             pues, buenos, buenas, días, tardes, nuevo, usted, tú, le, porque, nada, más, \
             disculpa, perdón, perdona, solo, aquí",
};

pub(super) const PORTUGUESE: Wishes = Wishes {
    text: "responda/responde/respondam/responder/responderem * por/em/com \
           texto/escrito/mensagem, \
           ^ escreva/escreve/escrever/escrevam/escrevendo/escreves/digita/digite/digitar $, \
           escreva/escreve para mim, ^ por/em texto/escrito $, ^ por mensagem $, \
           ^ por mensagem de texto $, ^ texto $, ^ só/somente/apenas texto/textos/escrito $, \
           manda/mande/mandem/envia/envie/mandar/enviar * por texto/escrito, \
           ^ manda/mande/envia/envie texto $, prefiro * texto/textos/escrito/escrita/ler $, \
           prefiro que * escreva/escrevam/escrevas/digite/digitem $, \
           ^ sem áudio/áudios/voz $, sem áudio por favor, ^ nada de áudio/áudios $, \
           ^ não áudio/áudios/voz $, ^ chega de áudio/áudios $, \
           não * mande/manda/mandem/mandar/envie/envia/enviem/enviar/grave/gravem * \
           áudio/áudios/voz, \
           não * responda/responde/respondam/responder * por/com/em áudio/áudios/voz, \
           não quero * áudio/áudios $, para/pare/parem de mandar/enviar áudio/áudios, \
           sou surdo/surda/surdos, ^ surdo/surda $, sou deficiente auditivo/auditiva, \
           tenho deficiência auditiva, tenho problema/problemas de audição, \
           não posso/consigo/podemos ouvir/escutar/abrir $, \
           não posso/consigo/podemos ouvir/escutar/abrir * áudio/áudios/voz $, \
           não posso/consigo/podemos ouvir/escutar * agora/aqui/momento, \
           não dá * ouvir/escutar * agora, não dá para/pra ouvir/escutar $, \
           não dá para/pra ouvir/escutar áudio/áudios, não ouço/escuto $, \
           não ouço/escuto bem/nada/áudio/áudios $",
    voice: "responda/responde/respondam * por/com/em voz/áudio, \
            ^ mande/manda/mandem/mandar/envie/envia/enviar * áudio/áudios/voz $, \
            ^ pode/podem/podes falar $, ^ pode/podem falar de novo $, \
            ^ pode/podem voltar a falar $, ^ já pode/podem falar $, ^ fala/fale comigo $, \
            ^ voz/áudio/áudios $, ^ por/com/em voz/áudio $, já posso ouvir/escutar, \
            posso ouvir/escutar de novo, volta/volte a mandar áudio/áudios",
    busy: "estou/tô em * reunião/aula/trabalho/ônibus/trem/metrô/biblioteca, \
           estou/tô no/na * \
           trabalho/reunião/aula/ônibus/trem/metrô/biblioteca/escritório/serviço/hospital/autocarro/comboio, \
           estou/tô trabalhando",
    not: "não, nunca, como, por que, onde, se",
    around: "por, favor, pode, podem, poderia, poderiam, podes, me, a, partir, de, agora, \
             obrigado, obrigada, olá, oi, sim, para, pra, mim, você, vocês, vc, vcs, já, novo, \
             momento, bom, boa, dia, tarde, noite, é, que, porque, lá, aqui, aí, só, mais, pf, \
             pfv",
};

pub(super) const GERMAN: Wishes = Wishes {
    text: "antworte/antworten/antwortet * schriftlich, \
           antworte/antworten/antwortet * als/mit/per/in text/textnachricht/nachricht/textform, \
           ^ schreib/schreibe/schreiben/schreibt/schreibst/tippen/tipp $, \
           schreib/schreibe/schreiben/schreibt mir/uns lieber/stattdessen, ^ schriftlich $, \
           ^ nur/lieber text/textnachrichten/schriftlich/schreiben/lesen $, \
           ^ als/per text/textnachricht $, ^ text $, \
           ^ keine/ohne \
           sprachnachricht/sprachnachrichten/audio/audios/sprachmemos/voicemails/sprachmemo $, \
           ^ keine/ohne * sprachnachrichten/audios/sprachmemos mehr $, \
           keine sprachnachrichten/audios/sprachmemos mehr, \
           ^ keine sprachnachrichten/audios/sprachmemos schicken/senden $, \
           schick/schicke/schicken/schickt/sende/senden/sendet/mach/machen * keine \
           sprachnachricht/sprachnachrichten/audios/sprachmemos/audio, \
           nicht per/mit/als sprachnachricht/audio/sprache/voice, \
           will/möchte/mag/brauche keine sprachnachricht/sprachnachrichten/audios, \
           bin gehörlos/taub/schwerhörig/hörgeschädigt, \
           bin leider/fast/ja/völlig/stark/etwas gehörlos/taub/schwerhörig/hörgeschädigt, \
           ^ gehörlos/taub/schwerhörig $, ich höre schlecht/nichts $, höre nicht gut/mehr $, \
           kann nicht/nichts hören/anhören/abhören/zuhören, \
           kann gerade/jetzt/momentan/leider/hier/heute/dich/sie/es/das/euch nicht/nichts \
           hören/anhören/abhören/zuhören, \
           kann gerade/jetzt/momentan/leider/hier keine \
           sprachnachricht/sprachnachrichten/audios/audio hören/anhören/abhören/öffnen, \
           kann keine sprachnachricht/sprachnachrichten/audios/audio \
           hören/anhören/abhören/öffnen/abspielen, \
           kann * sprachnachricht/sprachnachrichten/audio nicht \
           hören/anhören/abhören/öffnen/abspielen, \
           lese lieber, ich bevorzuge text/texte/textnachrichten/geschriebenes $, \
           mir wäre/ist text/schriftlich/schreiben lieber $",
    voice: "antworte/antworten/antwortet * mit/per/als \
            sprache/stimme/sprachnachricht/sprachnachrichten/audio, \
            ^ sprich/sprechen/rede/reden/sprecht * wieder $, \
            ^ kannst/können/könnt wieder sprechen/reden $, wieder sprachnachrichten, \
            ^ wieder sprechen/reden $, \
            ^ sprachnachricht/sprachnachrichten/stimme/audio/audios $, \
            ^ per/mit sprachnachricht/sprache/stimme/audio $, \
            ^ schick/schicke/schicken/sende/senden/schickt/sendet * \
            sprachnachricht/sprachnachrichten/audio/audios $, \
            kann * wieder hören/zuhören, kann jetzt hören/zuhören, ^ sprich/sprechen mit mir $, \
            darfst/dürfen wieder sprechen/reden",
    busy: "bin * in einer/einem/der/ner \
           meeting/besprechung/sitzung/konferenz/vorlesung/bibliothek/bahn/schule, \
           bin * im zug/bus/büro/meeting/unterricht/termin/kino/flugzeug, \
           bin * bei/auf der arbeit, sitze * im zug/bus/meeting/büro",
    not: "nicht, warum, wie, wo, wann, ob, wenn",
    around: "bitte, ab, jetzt, kannst, können, könntest, könnten, könnt, du, sie, ihr, mir, uns, \
             danke, hallo, wieder, es, lieber, zurück, gerade, moment, doch, mal, einfach, hi, \
             guten, tag, morgen, abend, ja, leider, deshalb, daher, also, weil, ich, bin, \
             würden, würdest, dann, nur, bitteschön, grad, momentan",
};

pub(super) const FRENCH: Wishes = Wishes {
    text: "réponds/répondez/répondre/répond * par/en écrit/texte/message/sms, \
           ^ écris/écrivez/écrire/m'écrire/écrit $, ^ par écrit/texte/message/sms $, \
           ^ en texte $, ^ à l'écrit $, ^ texte $, \
           ^ seulement/uniquement/juste/que * texte/textes/écrit/l'écrit $, \
           préfère/préférerais * écrit/l'écrit/texte/textes/lire $, \
           préfère/préférerais que * écriviez/écrives/m'écriviez/m'écrives $, \
           ^ pas/plus/sans de/d' messages/notes/message/note vocaux/vocales/vocal/vocale/audio \
           $, \
           pas/plus de messages/notes vocaux/vocales/audio, pas/plus de vocaux/vocal, \
           ^ pas/plus/sans vocal/vocaux/audio/audios $, ^ pas/plus d'audio/d'audios $, \
           ^ pas/plus de vocal/vocaux/voix/audio/audios $, \
           arrête/arrêtez * vocaux/vocal/audios/audio, \
           ne m'envoyez/m'envoie/envoyez/envoie/m'envoies * vocaux/vocal/audio/audios, \
           n'envoyez/n'envoie/m'envoie/m'envoyez pas/plus * vocaux/vocal/audio/audios/vocales, \
           je suis sourd/sourde/malentendant/malentendante, \
           suis totalement/complètement/presque/partiellement sourd/sourde, \
           ^ sourd/sourde/malentendant/malentendante $, \
           peux/pouvons/pouvais pas * écouter/entendre $, \
           peux/pouvons/pouvais pas * écouter/entendre maintenant/là/ici/actuellement, \
           peux/pouvons pas l'écouter/t'écouter/vous écouter, \
           peux/pouvons pas écouter/ouvrir/entendre * vocaux/vocal/audio/audios/vocales, \
           peux/pouvons pas écouter * message/messages, n'entends pas $, n'entends pas bien $, \
           n'entends rien $, entends pas bien $, j'entends mal/rien, j'entends très mal, \
           impossible d'écouter",
    voice: "réponds/répondez/répondre * à/en/par l'oral/vocal/vocaux/audio/voix, \
            réponds/répondez * à voix haute, réponds/répondez * par la voix, \
            reparle/reparlez moi, parle/parlez moi de/à nouveau, parle/parlez moi encore, \
            ^ parle/parlez moi $, ^ envoie/envoyez/envoyer * vocal/vocaux/audio/audios $, \
            envoie/envoyez moi * vocaux/vocal, ^ vocal/vocaux/audio/voix $, \
            ^ par vocal/oral/audio $, ^ à l'oral $, ^ pouvez/peux * parler/reparler $, \
            ^ pouvez/peux reparler/parler à/de nouveau $, peux écouter/entendre à/de nouveau, \
            peux maintenant écouter/entendre, peux écouter/entendre maintenant",
    busy: "je suis/j'suis en réunion/cours/rendez, suis * au travail/bureau/cinéma, \
           suis dans le/un/une train/bus/métro/bibliothèque/tram/réunion, \
           suis * à la bibliothèque",
    not: "pourquoi, comment, où, si",
    around: "s'il, ne, vous, te, plaît, svp, stp, peux, peut, tu, pouvez, pourriez, pourrais, a, \
             à, partir, de, désormais, maintenant, merci, bonjour, bonsoir, salut, moi, me, m', \
             plutôt, le, la, là, moment, en, ce, et, c'est, est, mieux, car, parce, que, donc, \
             nouveau, oui, pour, l', j'ai, je, suis, désolé, désolée, seulement, nous",
};
