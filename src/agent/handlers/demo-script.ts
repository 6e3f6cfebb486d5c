/** What the demo says: its canned answers, and which message gets which of them. */

export interface DemoScript {
  readonly tool?: {
    readonly name: string;
    readonly arguments: Record<string, unknown>;
    readonly result: Record<string, unknown>;
  };
  readonly answer: string;
}

const GREETINGS = [
  "hello",
  "hi",
  "hey",
  "howdy",
  "greetings",
  "help",
  "good morning",
  "good afternoon",
  "good evening",
];
const PASSWORD = ["password", "passwords", "passcode", "locked out", "forgot my login"];
const WEATHER = ["weather", "forecast", "temperature", "rain", "sunny"];

const CAPABILITIES: DemoScript = {
  answer: `Hello! I am the demo agent of Omnia. I need no API key and no model: my answers are canned, but they \
reach you just as real ones would, piece by piece.

Here is what I can do:
- Reset a password: say "I forgot my password" and watch me call a tool.
- Tell the weather: ask "What is the weather like in Berlin?"
- Explain myself: say "help".`,
};

const RESET_PASSWORD: DemoScript = {
  tool: {
    name: "lookup-user",
    arguments: { query: "current user" },
    result: { user_id: "user-1042", email: "alex@example.com", status: "active" },
  },
  answer: `I found your account, alex@example.com, and it is active. To reset your password:

1. Open the sign-in page and choose "Forgot password".
2. Enter alex@example.com and confirm.
3. Follow the link in the e-mail; it is good for 30 minutes.
4. Choose a new password of at least 12 characters.

Tell me if the e-mail does not arrive.`,
};

const SUGGESTIONS: DemoScript = {
  answer: `I am only a demo, so I do not have an answer to that. Try one of these:

- "hello" to see what I can do
- "I forgot my password" to see me use a tool
- "What is the weather like in Berlin?" for a forecast`,
};

/** The script for the message. Greetings are looked for last: "Hi, I forgot my password" is about the password. */
export function demoScript(message: string): DemoScript {
  if (mentions(message, PASSWORD)) return RESET_PASSWORD;
  if (mentions(message, WEATHER)) return weatherScript(placeIn(message));
  if (mentions(message, GREETINGS)) return CAPABILITIES;
  return SUGGESTIONS;
}

function weatherScript(location: string): DemoScript {
  return {
    tool: {
      name: "weather",
      arguments: { location },
      result: {
        location,
        condition: "partly cloudy",
        temperature_celsius: 18,
        wind_kmh: 12,
        rain_chance_percent: 20,
      },
    },
    answer: `It is 18 °C and partly cloudy in ${location}, with a light wind of 12 km/h. The forecast: sunny \
tomorrow with up to 21 °C, then showers and 16 °C the day after. Take a jacket for the evening.`,
  };
}

/** Whether the text contains one of the phrases as whole words. Upper and lower case are the same. */
function mentions(text: string, phrases: readonly string[]): boolean {
  const words = ` ${(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ")} `;
  return phrases.some((phrase) => words.includes(` ${phrase} `));
}

/** The capitalised words after "in". That is good enough for a demo. */
function placeIn(message: string): string {
  return /\bin ((?:\p{Lu}[\p{L}'-]{0,40} ?){1,3})/u.exec(message)?.[1]?.trim() ?? "Berlin";
}
