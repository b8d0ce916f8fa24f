// Steps with a name and waiting for a condition, for all scripts.

/** Longest wait for anything. */
const LIMIT_MS = 20_000;

/** Runs one step and says which one failed. */
export async function step(name, run) {
  try {
    const result = await run();
    console.log(`ok ${name}`);
    return result;
  } catch (error) {
    console.error(`\nFAILED ${name}`);
    console.error(error);
    process.exit(1);
  }
}

/** Waits until `condition` holds. */
export async function eventually(what, condition) {
  const end = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`${what}: not within ${LIMIT_MS} ms`);
    await new Promise((next) => setTimeout(next, 20));
  }
}
