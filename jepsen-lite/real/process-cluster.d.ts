export interface ProcessClusterOptions {
    readonly nodes: number;
    readonly store: 'sqlite' | 'level' | 'memory';
    /** Each node gets a folder in it. */
    readonly directory: string;
    readonly onLog?: (id: string, line: string) => void;
    /** More arguments for every `serve`. */
    readonly serveArguments?: readonly string[];
    /** More arguments for node itself, for example `--cpu-prof`. */
    readonly nodeArguments?: readonly string[];
}
/** Ports that were free a moment ago. */
export declare function freePorts(count: number): Promise<number[]>;
export declare class ProcessCluster {
    #private;
    private constructor();
    /** Starts every process. They found the cluster by themselves; ask a client when it is ready. */
    static start(options: ProcessClusterOptions): Promise<ProcessCluster>;
    get ids(): readonly string[];
    get endpoints(): readonly string[];
    endpoint(id: string): string;
    pid(id: string): number | undefined;
    isRunning(id: string): boolean;
    /** The newest log lines of a node. */
    log(id: string): readonly string[];
    startNode(id: string): void;
    /** Sends a signal and, when it ends the process, waits until it has. */
    signal(id: string, signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
    /** Stops every process, gently first. */
    stop(): Promise<void>;
}
