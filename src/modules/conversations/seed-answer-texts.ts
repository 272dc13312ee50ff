import { sql } from 'kysely';
import type { Db } from '../../db/schema.ts';
import { scoreText } from './sentiment.ts';

export const TONES = ['negative', 'neutral', 'positive'] as const;
export type Tone = (typeof TONES)[number];

/** An answer is a beginning and an end: a few of each make many. */
type Halves = { readonly begin: readonly string[]; readonly end: readonly string[] };

/** To each question of the sample's campaigns, in their order. */
// biome-ignore format: sentences to read over, side by side
const ANSWERS: readonly Record<Tone, Halves>[] = [
  {
    positive: {
      begin: ['A really good week.', 'Great, thank you!', 'Good, I am happy with it.', 'Better than the last one, I enjoyed it.', 'Very good, we finished what we planned.', 'Lovely, to be honest.', 'Pretty good!', 'Excellent, I am proud of what we did.'],
      end: ['The new release went out and customers like it.', 'The team was wonderful to work with.', 'I learned a lot from a great colleague.', 'My proposal won support from everybody.', '', 'Everything feels easier since the new plan, thanks for that.'],
    },
    neutral: {
      begin: ['A normal week.', 'About the same as the last one.', 'Neither up nor down.', 'Busy, but it went by.', 'As usual.', 'It was a short week.', 'Average.', 'Quite full.'],
      end: ['Nothing to report.', 'Mostly meetings and mail.', 'We are waiting for the next milestone.', 'Half of the team was away.', '', 'I was at two customers and in the office otherwise.'],
    },
    negative: {
      begin: ['A bad week.', 'Not good.', 'Frustrating.', 'Terrible, I am tired.', 'Rather difficult and sad.', 'I am worried.', 'Awful, the worst in a while.', 'Disappointing.'],
      end: ['The outage on Tuesday was a mess.', 'Two people left and nobody tells us why, which is annoying.', 'The plan failed and we got the blame.', 'I feel ignored.', '', 'The same problem as last month came back, and it hurts.'],
    },
  },
  {
    positive: {
      begin: ['Good, I can focus.', 'It is great at the moment.', 'Comfortable, and I like it.', 'Much better now.', 'Fine, I have time to improve things.', 'Healthy, thanks.', 'Very good.', 'A perfect balance.'],
      end: ['The new hires help a lot.', 'My lead is great at setting priorities.', 'I feel calm and motivated.', 'Fewer meetings was a good idea, thank you.', '', 'We were smart to drop the old reports.'],
    },
    neutral: {
      begin: ['It is what it is.', 'Full, as always at this time of the year.', 'About as much as before.', 'Up and down.', 'Changing from day to day.', 'I have about forty hours of it.', 'Medium.', 'Same as last week.'],
      end: ['Ask me again at the end of the quarter.', 'It depends on the other teams.', 'The schedule is known until June.', 'We moved some of it to the next month.', '', 'Two projects run side by side.'],
    },
    negative: {
      begin: ['Too much, I am exhausted.', 'Bad, the pressure never ends.', 'Crazy.', 'I am overwhelmed and stressed.', 'Painful.', 'It is a problem.', 'Horrible since the reorganisation.', 'Out of control, sadly.'],
      end: ['The deadlines make no sense and I am losing sleep.', 'I worked late every day and I am sick of it.', 'The tools are broken and slow.', 'Nobody stops the stupid interruptions.', '', 'It is impossible to do it well, which is frustrating.'],
    },
  },
  {
    positive: {
      begin: ['Yes, absolutely, they are great.', 'Yes, thank you!', 'Always, I trust them.', 'Yes, they are very helpful.', 'Definitely, a strong team.', 'Yes, and I am grateful for it.', 'I do, it feels good.', 'Yes, we work well together.'],
      end: ['People are kind and honest.', 'My lead gives good advice.', 'When I was ill, they were wonderful.', 'We celebrate what we achieve.', '', 'Good ideas win, whoever has them.'],
    },
    neutral: {
      begin: ['Mostly.', 'It depends on the day.', 'Somewhat.', 'From some, yes.', 'In general, I would say.', 'By myself, as a rule.', 'More or less.', 'When I ask for it.'],
      end: ['We are spread over three places.', 'The new lead began on Monday.', 'We have a talk about it next week.', 'There is one meeting for it every second week.', '', 'Remote days are quiet.'],
    },
    negative: {
      begin: ['No, I feel alone.', 'Not really, it is a sad story.', 'No, everybody is too stressed.', 'Less and less, which is sad.', 'No. It is a bad atmosphere.', 'I am afraid not.', 'No, the conflict is getting worse.', 'Never, and it makes me angry.'],
      end: ['Questions are ignored.', 'My lead has no time and blames us.', 'We fight over every ticket.', 'I asked for help and got criticised.', '', 'People are unhappy and some want to quit.'],
    },
  },
];

/** Of each question and tone. */
export const TEXTS_PER_TONE = 48;

export interface AnswerText {
  /** 1, 2, 3 … */
  readonly question: number;
  readonly tone: Tone;
  /** 0 up to TEXTS_PER_TONE. */
  readonly nth: number;
  readonly body: string;
}

export function answerTexts(): AnswerText[] {
  return ANSWERS.flatMap((tones, index) =>
    TONES.flatMap((tone) =>
      tones[tone].begin
        .flatMap((begin) => tones[tone].end.map((end) => `${begin} ${end}`.trim()))
        .map((body, nth) => ({ question: index + 1, tone, nth, body })),
    ),
  );
}

/** The texts as a temporary table, scored as the product would score them. */
export async function createAnswerTexts(db: Db): Promise<void> {
  const texts = answerTexts().map((text) => ({ ...text, sentiment: scoreText(text.body) }));
  await sql`
    create temporary table answer_texts (question int, tone text, nth int, body text, sentiment real) on commit drop`.execute(
    db,
  );
  await sql`
    insert into answer_texts
    select * from jsonb_to_recordset(${JSON.stringify(texts)}::jsonb)
      as given (question int, tone text, nth int, body text, sentiment real)`.execute(db);
  await sql`analyze answer_texts`.execute(db);
}
