/** What language.ts tells English by, beside the scorer's own list. */

/** Words that are common in English answers about work, and rare in other languages. Inflections are left out. */
const ENGLISH = `
  about above across actually after afternoon again ago all almost alone along already always am and another any anybody
  anymore anyone anything anyway are around aren't ask at away back be became because become been before began behind being
  believe below between beyond both bring brought but buy by call came can can't cannot change check clear colleague come
  company completely could couldn't customer daily day decide decision depend did didn't different discuss do does doesn't
  doing don't done down during each early easy either else email end enough even evening ever every everybody everyone
  everything everywhere exactly expect extra far fast feel feeling felt few finally find finish finished first fix focus
  follow for found friday friend from full further gave get give given go goes going gone got guess guy had half hand happen
  hard hardly has hasn't have haven't having he health hear heard help helped her here herself hi high him himself his home
  hour house how however i i'd i'll i'm i've idea if instead into isn't issue it it's its itself job join just keep kept kid
  knew know known lack lady large last late later laugh lead leader learn least leave led left less let let's life like
  line listen little live long longer look lot loud low lunch made mainly make many march maybe meet meeting met might mind
  minute miss monday money month more morning most mostly move much must my myself near nearly need neither never new news
  next nice night nobody none nor not nothing november now of off office often old once one only onto open opinion or order
  other our ourselves out outside overall own page paid part party past pay people perhaps person place plan play please
  point possible pretty priority probably process product put question quick quickly quiet quite rather read ready real
  really reason receive recently remote report rest review right room run said same saturday saw say school see seem seen
  send sense sent set several she ship should shouldn't show sick side simple since sit six sleep slow slowly small some
  somebody someone something sometimes somewhat soon sorry spend spent staff stand start state stay step still story stuff
  such sunday sure take taken talk task teach teamwork tell ten than thank thanks that that's the their them themselves
  then there there's these they they're thing think third this those though thought three through thursday till time tired
  today together told tomorrow too took tool touch toward towards training trip try tuesday turn twice two under
  understand until up upon us use used useful usual usually very visit vacation wait walk want wanted wasn't watch way we
  we'll we're we've wednesday week weekend weekly weeks well went were weren't what what's when where whether which while
  who whole why will wish with within without woman won't word work worked worker working workload world would wouldn't
  write wrong yeah year yep yes yesterday yet you you're young your yourself busy better worse worst average normal nope
  meh ok okay fine alright balance laptop screen computer desk commute bus code test bug sprint deploy deadline feature
  production server payroll salary raise hire hiring onboarding holiday break layoff layoffs reorg restructuring team teams
  manager boss lead support feedback stand-up standup communication transparency overtime shift project release client
  overworked underpaid awkward silence retro thx idk medium lol btw asap roadmap goal target colleagues vibe vibes atmosphere culture situation migration energy drained`;

/**
 * Words of other languages that an answer is likely to have: articles, pronouns and the words of a check-in. Only such
 * as are not usual in English too.
 */
const FOREIGN = `
  der das den dem des ein eine einen einem einer ich du er sie wir ihr mich mir uns ist sind hatte habe haben wird werden
  nicht kein keine und oder aber auch nur noch schon sehr zu zur zum mit für von vom bei nach aus auf im über unter viel
  viele wenig immer nie heute gestern morgen woche tag arbeit stimmung zusammenarbeit kollegen kollege chefin gute guter
  gutes guten schlecht schlechte müde krank danke bitte ja nein alles nichts etwas mehr weniger ganz ziemlich gerade prima
  le la les un une du des et ou où est sont était suis es êtes avons avez je tu il elle nous vous ils elles mon ma mes ton
  notre votre leur ce cette ces ne pas plus très bien mal bon bonne mauvais mauvaise trop peu avec pour dans sur sans chez
  mais aussi semaine jour travail équipe fatigué fatiguée merci oui tout tous rien ça c'est j'ai
  el los las una uno unos unas y o pero muy más menos bueno buena malo mala mucho mucha semana día trabajo equipo cansado
  cansada gracias sí estoy estamos está esta este fue hay con por para sin todo nada tengo mi su nos se lo que como cuando
  il lo gli uno di del della dei da nel nella e è sono sei siamo ho hai ha abbiamo non molto poco troppo bene male buono
  buona settimana giorno lavoro squadra stanco stanca grazie tutto niente questo questa che per con ma anche
  um uma os as ao dos das não muito muita bom boa mau má trabalho equipe equipa obrigado obrigada sim foi estou está eu
  de het een en ik je jij hij zij wij jullie mijn ons onze niet geen wel maar ook nog al heel erg veel weinig goed goede
  slecht slechte moe dank bedankt ja nee deze dit dat voor met op naar werk werken sfeer druk drukke
  och att det den som jag du han hon vi ni är var inte med på av till om bra dålig trött tack vecka dag jobb mycket
  ikke jeg meg er veldig god godt dårlig uke uge arbejde arbeid takk tak træt
  ja nie się jest są był była było jestem bardzo dobrze dobry dobra źle praca tydzień zespół dzięki wszystko
  já ne je jsem jsou byl byla velmi dobře dobrý týden práce
  ben sen bir çok iyi kötü ve bu ama hafta nem igen nagyon jó hét munka
  și nu foarte sunt ești este echipa
  yang tidak saya kami dan di ini itu sangat`;

/** English words that other languages have too, with another meaning: they tell nothing. */
const SHARED = `
  a an as at bin die do fast gut had hat he hell her in is kind man me on so to war was we will wie all also am of or gift
  rot sale content god slut fart art brief bring des due fin lag live list mist most note per plus rat sent sin sole son
  stark still tag ten tot van ver wand die's`;

/** Words that mean the same everywhere; without others they are scored. */
const INTERNATIONAL = `
  no ok okay super team teams stress top cool perfect normal happy meeting meetings job feedback problem problems deadline
  deadlines sprint release project chef manager office cool fair flexible motivation online email bravo genial terrible
  horrible excellent positive negative remote workshop update app`;

const toSet = (words: string): ReadonlySet<string> => new Set(words.trim().split(/\s+/));

export const WORDS = {
  english: toSet(ENGLISH),
  foreign: toSet(FOREIGN),
  shared: toSet(SHARED),
  international: toSet(INTERNATIONAL),
};
