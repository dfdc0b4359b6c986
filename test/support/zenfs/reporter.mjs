/** A reporter for node:test: one line of JSON for each test that has ended. */
// node:test takes a reporter by its default export.
// eslint-disable-next-line no-restricted-exports
export default async function* reporter(source) {
  const names = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') names[data.nesting] = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const path = [...names.slice(0, data.nesting), data.name];
    const error = data.details?.error;
    yield `${JSON.stringify({
      file: data.file,
      path,
      suite: data.details?.type === 'suite',
      status: data.skip !== undefined || data.todo !== undefined ? 'skipped' : type.slice('test:'.length),
      error: error === undefined ? undefined : String(error.cause?.stack ?? error.stack ?? error),
    })}\n`;
  }
}
