"""Closed lists of values: what people are called, what companies and streets end in, what forms offer to tick.

Common given names of several cultures: enough to tell a column of people from a column of places, never to tell who.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GIVEN: Final = _words(
    """
    aaron abdul abdullah abigail adam adrian adriana agnes agnieszka ahmad ahmed aicha aisha alain alan albert
    alberto alejandra alejandro aleksander alessandro alex alexander alexandra alexandre alexey alfred alfredo ali
    alice alicia alina alison allen alma amanda amara amber amelia amina amir amit amy ana anastasia anders andre
    andrea andreas andrei andres andrew andrzej angel angela angelo anil anita anja ann anna anne annette anthony
    antje antoine anton antonia antonio anya april arjun arnaud arthur arturo asha ashley astrid august aurelie
    austin ayesha barbara bart beata beatrice beatriz ben benedikt benjamin bernard bernd bert beth betty beverly
    bianca bill bjorn bob bogdan bonnie boris brad bram brandon brenda brent brian bridget britta bruce bruno bryan
    caleb camila camille carina carl carla carlo carlos carmen carol carolina caroline carolyn catarina catherine
    cecile cecilia celine charles charlotte chen cheryl chiara chloe chris christa christian christiane christina
    christine christoph christophe christopher cindy claire clara claude claudia clemens colin connie conrad corinne
    cristina craig crystal cynthia dagmar daisy dale damian dan daniel daniela danielle danny dariusz darren dave
    david dawn dean deborah debra deepak delphine denis denise dennis derek diana diane diego dieter dimitri dirk
    dmitry dominik dominique don donald donna doris dorota dorothy douglas dylan eduardo edward edwin elena elias
    elisa elisabeth elizabeth ella ellen elke emily emma emmanuel enrique eric erica erik erika erin ernst esther
    ethan eugene eva evelyn ewa fabian fabio farah fatima fatma federico felipe felix fernanda fernando filip
    florian frances francesca francesco francis francisco francois frank franz fred frederic frederik friedrich
    fritz gabriel gabriela gareth gary geert george georg georges gerald gerard gerd gerhard gianni gilbert giorgio
    giovanni gisela giulia giuseppe glenn gloria gonzalo grace greg gregory greta grzegorz guido guillaume gustavo
    guy hailey hamza hana hanna hannah hans harald harold harry hassan heather hector heidi heike heinrich heinz
    helen helena helga helmut henk henri henry herbert hermann hiroshi holger holly hugo hussein ian ibrahim ida
    ilse imran ines inga ingrid irena irene irina iris isabel isabella isabelle ivan jack jacek jackie jacob
    jacqueline jacques jaime jakob jakub james jamie jan jana jane janet janina janusz jasmin jason javier jean jeff
    jeffrey jennifer jens jeremy jerome jerry jerzy jesse jessica jesus jill jim jimmy joan joana joanna joao joe
    joel joerg johan johanna john johannes johnny jon jonas jonathan jordan jorge jose josef joseph joshua joyce
    juan juana judith judy julia julian julie julien julio jurgen justin kai kamal kamil karen karin karim karl
    karolina katarzyna kate katharina katherine kathleen kathryn katja kazimierz keith kelly ken kenneth kerstin
    kevin khalid kim klaus konrad krystyna krzysztof kumar kurt kyle lance lara larry lars laura laurent lauren lea
    leila lena leo leon leonard leonardo leonie lewis liam lili lilian lina linda lisa lorenzo louis louise luc luca
    lucas lucia luciano lucie luigi luis luisa lukas luke lutz lydia maarten maciej magdalena mahmoud maik
    malgorzata manfred manon manuel manuela marc marcel marcin marco marcos marcus marek margaret maria mariam
    marian marie marilyn marina mario marion mark marko markus marta martha martin martina mary maryam mathias
    mathieu mats matteo matthew matthias maurice max maximilian megan mehmet mei melanie melissa merle mia michael
    michal michel michele michelle miguel mike mikhail milan mina mirko miroslav mohamed mohammad mohammed
    monica monika moritz muhammad mustafa nadia nadine nancy naomi natalia natalie nathalie nathan neha neil
    nicholas nick nicola nicolas nicole niels nikhil nikita nikolai nils nina noah noel noor nora norbert norma olaf
    oleg olga oliver olivia olivier omar oscar osman otto pablo paola paolo pascal patricia patrick paul paula paulo
    pavel pedro peggy penelope peter petra philip philipp philippe phillip phyllis pierre pieter piotr priya rachel
    rafael rahul rainer raj rajesh ralf ralph ramon randy raphael raul ravi ray raymond rebecca reinhard renate rene
    ricardo richard rita robert roberta roberto robin rodrigo roger roland rolf roman ronald rosa rose roy ruben
    rudolf russell ruth ryan sabine sabrina sally salma sam samantha samir samuel sandra sandro sanjay sara sarah
    sasha scott sean sebastian serge sergei sergio shane shannon sharon shawn sheila shirley silke silvia simon
    simone sofia sonia sonja sophia sophie stefan stefanie stefano stella stephan stephane stephanie stephen steve
    steven sunil susan susanne suzanne sven svetlana sylvia sylvie tamara tanja tanya tara tatiana ted teresa
    terrence terry theo theodore theresa therese thierry thomas tiffany tim timothy tina tobias todd tom tomas
    tomasz tony tracy travis trevor tyler udo ulrich ulrike ursula ute uwe valentina valerie vanessa vera veronica
    veronika victor victoria vijay vincent viola virginia vladimir waldemar walter wanda wang wayne wei wendy werner
    wesley wilhelm willem william willy wojciech wolfgang xavier yan yann yannick yasmin ying yoko yolanda yusuf
    yvonne zachary zoe zofia
    """
)
ORGANIZATION: Final = _words(
    """
    inc ltd llc llp plc gmbh mbh ag kg ohg ug ev se sa sas sarl spa srl snc bv nv oy ab as aps corp corporation co
    company group holding holdings university universitat universite universidad hospital clinic school college club
    fc sc ac association verein institute institut department dept agency council county committee foundation
    stiftung bank sparkasse church services service systems technologies technology solutions partners international
    society board office ministry trust union museum press media industries enterprises consulting logistics energy
    insurance pharma laboratories federation network center centre academy organization organisation sheriffs police
    court airlines airport hotel restaurant store shop ngo cross nations spolka zoo
    """
)
STREET: Final = _words(
    """
    street st road rd avenue ave boulevard blvd lane ln drive dr court ct way place pl square sq highway hwy parkway
    pkwy terrace circle cir crescent close park row suite apt box strasse str gasse weg platz allee ring ufer damm
    rue chemin impasse quai calle avenida avda plaza paseo carrera via viale piazza corso largo straat laan plein
    kade gracht rua praca travessa estrada ulica ul aleja al plac osiedle
    """
)
STREET_FIRST: Final = _words(
    """
    rue chemin impasse quai calle avenida avda avenue plaza paseo carrera via viale piazza corso largo rua praca
    travessa ul ulica aleja al plac os box apt suite
    """
)
GENDER: Final = _words(
    """
    m f male female man woman men women w d x mann frau mannlich weiblich divers homme femme masculin feminin hombre
    mujer masculino femenino feminino maschio femmina vrouw kobieta mezczyzna other unknown nonbinary non-binary boy
    girl
    """
)
GENDER_WORDS: Final = _words(
    """
    male female weiblich mannlich femme homme mujer hombre femenino masculino feminino vrouw kobieta mezczyzna
    femmina
    """
)
MARITAL: Final = _words(
    """
    single married widowed divorced separated ledig verheiratet geschieden verwitwet celibataire marie mariee
    divorce veuf soltero soltera casado casada divorciado viudo celibe coniugato nubile vedovo gehuwd ongehuwd
    gescheiden solteiro wolny zonaty zamezna widow widower engaged cohabiting partnered
    """
)
ETHNIC: Final = _words(
    """
    white black asian hispanic latino latina caucasian african indian native islander pacific mixed multiracial
    multi-racial arab roma kurd berber hawaiian alaskan biracial
    """
)
LANGUAGES: Final = _words(
    """
    english german french spanish italian dutch portuguese polish arabic hindi bengali urdu chinese mandarin
    cantonese japanese korean russian turkish persian swahili hausa tamil telugu marathi punjabi vietnamese thai
    greek swedish norwegian danish finnish czech hungarian romanian ukrainian deutsch francais espanol italiano
    nederlands portugues polski
    """
)
STATUS: Final = _words(
    """
    yes no true false y n t f active inactive confirmed pending enabled disabled on off open closed done new ok
    failed success ja nein oui non si approved rejected valid invalid draft complete completed none unknown
    cancelled paid unpaid
    """
)
BLANK: Final = frozenset({"", "-", "--", "?", ".", "nan", "null", "none", "n/a", "na", "nil", "nat", "<na>", "#n/a"})
