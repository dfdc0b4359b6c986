/** A reporter of vitest's: names the tests that passed only when they were run again. A line of each, for the summary of .ci/run. */
export default class SecondTries {
  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky === true)
      console.log(`second try: ${test.module.relativeModuleId} > ${test.fullName}`);
  }
}
