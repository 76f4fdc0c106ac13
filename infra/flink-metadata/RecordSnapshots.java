import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.OperatorIDPair;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.JobVertex;
import org.apache.flink.runtime.jobgraph.jsonplan.JsonPlanGenerator;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * Snapshots of one job as this Flink takes them, with what Flink itself reads in them, and the plans and the operators of
 * several jobs. The argument: the directory to write to.
 */
public final class RecordSnapshots {
    private static final Map<String, Map<String, String>> CHECKPOINTS = Map.of(
            "heap", Map.of(),
            "rocksdb", Map.of(
                    "state.backend.type", "rocksdb",
                    "execution.checkpointing.incremental", "true",
                    "execution.checkpointing.data-inline-threshold", "0"),
            "changelog", Map.of("state.changelog.enabled", "true", "state.changelog.storage", "memory"),
            "changelog-files", Map.of(
                    "state.changelog.enabled", "true",
                    "state.changelog.storage", "filesystem",
                    "dstl.dfs.base-path", "file:///tmp/recorded-changelog",
                    "execution.checkpointing.data-inline-threshold", "0"),
            "merged", Map.of(
                    "execution.checkpointing.file-merging.enabled", "true",
                    "execution.checkpointing.data-inline-threshold", "0"),
            "unaligned", Map.of(
                    "execution.checkpointing.unaligned.enabled", "true",
                    "taskmanager.network.memory.buffers-per-channel", "2",
                    "slow", "true"));

    public static void main(String[] args) throws Exception {
        Path into = Path.of(args[0]);
        Files.createDirectories(into);
        for (Map.Entry<String, Map<String, String>> one : CHECKPOINTS.entrySet()) {
            record(into, one.getKey(), one.getValue(), null);
        }
        record(into, "canonical", Map.of(), SavepointFormatType.CANONICAL);
        record(into, "native", Map.of("state.backend.type", "rocksdb"), SavepointFormatType.NATIVE);
        for (String shape : List.of("counting", "bare", "forked")) {
            write(into.resolve("plan-" + shape + ".json"), plans(shape));
        }
        System.exit(0);
    }

    private static void record(Path into, String name, Map<String, String> options, SavepointFormatType savepoint)
            throws Exception {
        Path work = Files.createTempDirectory("recorded");
        boolean isSlow = options.containsKey("slow");
        Configuration configuration = new Configuration();
        options.forEach(configuration::setString);
        configuration.setString("execution.checkpointing.interval", "500 ms");
        configuration.setString("execution.checkpointing.dir", work.toUri().toString());
        configuration.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
        configuration.setString("execution.checkpointing.num-retained", "20");
        configuration.setString("rest.bind-port", "0");
        configuration.setString("pipeline.max-parallelism", "8");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, configuration);
        counting(env, isSlow);
        JobClient job = env.executeAsync("Recorded");
        Path directory = savepoint == null
                ? checkpoint(work.resolve(job.getJobID().toString()), 4)
                : savepoint(work, job, savepoint);
        Path metadata = directory.resolve("_metadata");
        Files.copy(metadata, into.resolve(name + ".metadata"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        write(into.resolve(name + ".json"), read(metadata, directory));
        job.cancel().get();
    }

    private static Path savepoint(Path work, JobClient job, SavepointFormatType format) throws Exception {
        checkpoint(work.resolve(job.getJobID().toString()), 2);
        return Path.of(java.net.URI.create(job.triggerSavepoint(work.resolve("saved").toUri().toString(), format).get()));
    }

    /** When that many are complete, and the short source has ended. */
    private static Path checkpoint(Path directory, int number) throws Exception {
        while (true) {
            Thread.sleep(200);
            if (!Files.isDirectory(directory)) continue;
            try (Stream<Path> all = Files.list(directory)) {
                for (Path one : all.toList()) {
                    if (!one.getFileName().toString().startsWith("chk-")) continue;
                    int found = Integer.parseInt(one.getFileName().toString().substring(4));
                    if (found >= number && Files.exists(one.resolve("_metadata"))) return one;
                }
            }
        }
    }

    /** Two pipelines: one that goes on, partly chained, with and without uids, and one that has ended. */
    private static void counting(StreamExecutionEnvironment env, boolean isSlow) {
        env.fromSequence(1, Long.MAX_VALUE)
                .uid("numbers")
                .process(new Paced(isSlow ? 0 : 5)).returns(Long.class).name("pace")
                .keyBy(number -> number % 3)
                .process(new Sums(isSlow ? 20 : 0)).uid("sums").name("sums \u00fc \ud83d\ude00")
                .sinkTo(new DiscardingSink<>());
        env.fromSequence(1, 2).uid("short").sinkTo(new DiscardingSink<>()).uid("end");
    }

    /** No uid anywhere, and all that can be is chained. */
    private static void bare(StreamExecutionEnvironment env) {
        env.fromSequence(1, 9).map(number -> number).map(number -> number).keyBy(number -> number)
                .process(new Sums(0)).map(number -> number).sinkTo(new DiscardingSink<>());
    }

    /** One operator that is read by several, and one that reads several. */
    private static void forked(StreamExecutionEnvironment env) {
        DataStream<Long> source = env.fromSequence(1, 9).process(new Paced(0)).returns(Long.class).uid("fork");
        DataStream<Long> left = source.map(number -> number);
        DataStream<Long> right = source.keyBy(number -> number).process(new Sums(0)).uid("right");
        left.union(right).map(number -> number).setParallelism(1).sinkTo(new DiscardingSink<>());
        source.map(number -> number).filter(number -> true).sinkTo(new DiscardingSink<>());
    }

    private static String plans(String shape) throws Exception {
        return "{\"chained\": " + plan(graph(shape, true)) + ",\n\"unchained\": " + plan(graph(shape, false))
                + ",\n\"operators\": " + operators(graph(shape, true)) + "}";
    }

    private static JobGraph graph(String shape, boolean isChained) {
        Configuration configuration = new Configuration();
        configuration.setString("pipeline.operator-chaining.enabled", String.valueOf(isChained));
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, configuration);
        if (shape.equals("counting")) counting(env, false);
        else if (shape.equals("bare")) bare(env);
        else forked(env);
        return env.getStreamGraph().getJobGraph();
    }

    private static String plan(JobGraph graph) throws Exception {
        Object plan = JsonPlanGenerator.generatePlan(graph);
        if (plan instanceof String) return (String) plan;
        return org.apache.flink.runtime.rest.util.RestMapperUtils.getStrictObjectMapper().writeValueAsString(plan);
    }

    /** What state is mapped to: the ids of all operators, in chains too. */
    private static String operators(JobGraph graph) {
        List<String> ids = new ArrayList<>();
        for (JobVertex vertex : graph.getVertices()) {
            for (OperatorIDPair pair : vertex.getOperatorIDs()) ids.add("\"" + pair.getGeneratedOperatorID() + "\"");
        }
        return ids.toString();
    }

    private static String read(Path metadata, Path directory) throws IOException {
        try (InputStream in = Files.newInputStream(metadata)) {
            CheckpointMetadata read = Checkpoints.loadCheckpointMetadata(
                    new DataInputStream(in), RecordSnapshots.class.getClassLoader(), directory.toUri().toString());
            List<String> operators = new ArrayList<>();
            for (OperatorState one : read.getOperatorStates()) operators.add(operator(one));
            return "{\"checkpointId\": " + read.getCheckpointId() + ", \"operators\": [\n"
                    + String.join(",\n", operators) + "]}";
        }
    }

    private static String operator(OperatorState one) {
        boolean hasState = one.getCoordinatorState() != null
                || one.getStates().stream().anyMatch(subtask -> subtask.hasState());
        return "{\"id\": \"" + one.getOperatorID() + "\", \"parallelism\": " + one.getParallelism()
                + ", \"maxParallelism\": " + one.getMaxParallelism() + ", \"bytes\": " + one.getStateSize()
                + ", \"hasState\": " + hasState + names(one) + "}";
    }

    /** Flink 1.20 has none. */
    private static String names(OperatorState one) {
        return Stream.of("getOperatorName", "getOperatorUid").map(method -> {
            try {
                Object value = OperatorState.class.getMethod(method).invoke(one);
                java.util.Optional<?> text = (java.util.Optional<?>) value;
                String field = method.equals("getOperatorName") ? "name" : "uid";
                return text.map(it -> ", \"" + field + "\": \"" + it + "\"").orElse("");
            } catch (ReflectiveOperationException e) {
                return "";
            }
        }).reduce("", String::concat);
    }

    private static void write(Path file, String text) throws IOException {
        Files.writeString(file, text + "\n");
    }

    /** Holds a list of its own. */
    private static final class Paced extends ProcessFunction<Long, Long> implements CheckpointedFunction {
        private final long pause;
        private transient ListState<Long> last;
        private transient long position;

        Paced(long pause) {
            this.pause = pause;
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            last = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("last", Long.class));
        }

        @Override
        public void processElement(Long number, Context context, Collector<Long> out) throws Exception {
            if (pause > 0) Thread.sleep(pause);
            position = number;
            out.collect(number);
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            last.clear();
            last.add(position);
        }
    }

    private static final class Sums extends KeyedProcessFunction<Long, Long, Long> {
        private final long pause;
        private transient ValueState<Long> sum;

        Sums(long pause) {
            this.pause = pause;
        }

        @Override
        public void processElement(Long number, Context context, Collector<Long> out) throws Exception {
            if (pause > 0) Thread.sleep(pause);
            if (sum == null) sum = getRuntimeContext().getState(new ValueStateDescriptor<>("sum", Long.class));
            sum.update((sum.value() == null ? 0 : sum.value()) + number);
            out.collect(sum.value());
        }
    }
}
