import { createHash } from 'node:crypto';
import { createRandom } from '../../load/random.ts';
import type { PatternCase } from '../pattern.ts';

export interface Place {
  /** Its client has said something that only a person with a link can say. */
  welcome(): void;
  leave(): void;
}

export interface Door {
  /** Undefined when there is no place. `evict` is called if the place is given to another client. */
  enter(address: string, evict: () => void): Place | undefined;
}

type Twin = { openDoor(places: number): Door };
type Input = { readonly strangers: number };

const PLACES = 1_000;
const PEOPLE = 400;
const STRANGERS = 50_000;
const ADDRESSES = 100;
/** A step is one new stranger. A person needs a few for the hello; a silent client is closed after many. */
const HELLO_STEPS = 50;
const SILENT_STEPS = 10_000;
const SEED = 11;

export const pattern: PatternCase<Twin, Input> = {
  shipped: 'src/socket/admission.ts',
  withoutIt: 'anybody who opens connections and says nothing takes all places',
  asks: `${PEOPLE} people connect to a server of ${PLACES} places, while ${STRANGERS} strangers from ${ADDRESSES} addresses connect and say nothing.`,
  breaks: 'people get no place',
  holds: 'every person gets a place and keeps it',
  headline: ({ turnedAway = 0 }) => `${turnedAway} of ${PEOPLE} people turned away`,
  small: { strangers: 100 },
  full: { strangers: STRANGERS },

  async perform({ openDoor }, { strangers }) {
    const door = openDoor(PLACES);
    const random = createRandom(SEED);
    const steps = Math.max(strangers, PEOPLE) + HELLO_STEPS;
    const plan = createPlan();
    const states: string[] = Array(PEOPLE).fill('never came');
    for (let person = 0; person < PEOPLE; person++)
      plan.at(random.below(steps - HELLO_STEPS), (step) => come(person, step));
    for (let step = 0; step < steps; step++) {
      if (step < strangers) knock(step);
      plan.run(step);
    }

    function knock(step: number): void {
      const place = door.enter(`stranger ${step % ADDRESSES}`, () => undefined);
      if (place !== undefined) plan.at(step + SILENT_STEPS, () => place.leave());
    }

    function come(person: number, step: number): void {
      states[person] = 'waits';
      const turnAway = () => {
        states[person] = 'turned away';
      };
      const place = door.enter(`person ${person}`, turnAway);
      if (place === undefined) {
        turnAway();
        return;
      }
      plan.at(step + HELLO_STEPS - 1, () => {
        if (states[person] !== 'waits') return;
        states[person] = 'welcome';
        place.welcome();
      });
    }

    const turnedAway = states.filter((state) => state !== 'welcome').length;
    const digest = createHash('sha256').update(states.join()).digest('hex');
    return { digest, figures: { turnedAway, people: states.length } };
  },

  isBroken: ({ figures }) => (figures.turnedAway ?? 0) > 0,
  isHeld: ({ ending, figures }) => ending === 'finished' && figures.turnedAway === 0 && figures.people === PEOPLE,
};

function createPlan() {
  const acts = new Map<number, ((step: number) => void)[]>();
  return {
    at(step: number, act: (step: number) => void) {
      const others = acts.get(step);
      if (others === undefined) acts.set(step, [act]);
      else others.push(act);
    },
    run(step: number) {
      for (const act of acts.get(step) ?? []) act(step);
      acts.delete(step);
    },
  };
}
