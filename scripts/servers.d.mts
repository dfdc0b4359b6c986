/** Where the servers of a test cluster come from. */
export type Provider = 'external' | 'programs' | 'docker' | 'packages';

export declare const providers: readonly Provider[];
export declare const systemFolders: readonly string[];
export declare function findProgram(name: string, env?: NodeJS.ProcessEnv): string | undefined;
export declare function dockerAnswers(env?: NodeJS.ProcessEnv): Promise<boolean>;
export declare function chooseProvider(env?: NodeJS.ProcessEnv): Promise<Provider>;
export declare function installPackages(say: (line: string) => void, env?: NodeJS.ProcessEnv): void;
