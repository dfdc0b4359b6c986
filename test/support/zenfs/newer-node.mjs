/** What the suite takes from newer versions of Node's language, for both file systems alike. */
import { isNativeError } from 'node:util/types';

Promise.withResolvers ??= function withResolvers() {
  const made = {};
  made.promise = new this((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};
Error.isError ??= (value) => isNativeError(value) || value instanceof Error;
