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
  hard hardly has hasn't have haven't having he health hear heard help helped here herself hi high him himself his home
  hour house how however i'd i'll i'm i've idea if instead into isn't issue it it's its itself job join just keep kept kid
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
  topic name number group member person case fact part side end area result goal reason example question answer info
  information document paper letter mail message call phone chat room desk chair door window building city town country
  road train car bike bus flight hotel food coffee tea water music book game sport gym doctor health body mind heart family
  parent parents mother father son daughter wife husband partner baby child children kid kids dog cat weather sun rain
  winter summer spring autumn january february april june july august september october december second minute hour season
  birthday weekend cost price budget market business company industry sector role position title career level skill
  experience knowledge process method tool system data database design research study report review meeting agenda plan
  strategy vision decision discussion presentation workshop conference event talk pitch proposal contract offer deal order
  delivery quality speed performance growth success progress improvement solution fix change update upgrade version
  software hardware website web app api cloud security bugfix incident outage ticket backlog refactoring documentation
  pipeline build branch merge commit engineer engineering developer developers designer sales marketing finance legal hr
  ceo cto vp director executive intern contractor freelancer newcomer hire account accounting invoice payment bonus benefit
  pension policy rule rules hours shifts pace load amount lots bunch couple plenty half whole quarter month year
  opportunity challenge challenging responsibility expectation priority interruption distraction noise light air temperature
  physical mental personal professional social technical internal external global local public private official main major
  minor key basic complex simple specific general various similar separate single double triple available possible likely
  ready open closed full empty long short big huge tiny wide narrow deep heavy light dark bright loud quiet warm cold hot
  cool dry wet new old young modern recent current previous final total actual entire usual typical certain obvious
  able allowed supposed used made given taken known shown seen heard felt met lost won spent bought sold built
  add allow appear apply arrive avoid carry catch choose collect compare complete connect consider contain continue control
  copy cover create cut deal deliver describe develop draw drive drop eat enter explain express face fill fit fly force
  forget form gather grow guide handle hit host identify include increase introduce involve jump kick lay lift limit list
  manage mark match matter mean measure mention mix name note notice offer operate organise organize own pass pick plan pull
  rough prod mon tue wed thu fri sat push raise reach reduce remember remove repeat replace reply reset resolve respond return ride rise roll rush sell serve
  set settle share shift shut sign sing sit sleep solve sort sound speak split spread stick store stretch suggest supply
  switch tend throw tie track train travel treat type visit wake warn wash wear weigh
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

/** English words that other languages have too, with another meaning: English only beside words that are. */
const SHARED = `
  a am an as at be by had he her i in is me of on or our so to was we will all due if note per plus sole son`;

/** The same, but in an answer more likely those of another language: "die", "war" and "kind" are German. */
const FALSE_FRIENDS = `
  also art bin brief bring den des die die's fart fast fin gift gut god hat hell kind lag list live man mist most rat rot
  sale sent sin slut stark still tag ten tot van ver wand war wie content`;

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
  falseFriend: toSet(FALSE_FRIENDS),
  international: toSet(INTERNATIONAL),
};
