/** The init container by which a jar is put into the JobManager's pod: its end says how that went. */
export const JAR_CONTAINER = 'flink-dispatch-jar';
