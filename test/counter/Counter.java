package dispatch.counter;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * Counts 1, 2, 3…: the position is the source's state, and per key (the number modulo 3) a count and a sum are kept.
 * Tells a server of each number, of what it began from, and of each checkpoint that was complete. Arguments: the server's
 * URL, milliseconds between numbers, milliseconds that each snapshot takes beside (0 when left out), anything where the
 * parallelism of the options holds for what follows the count, and then milliseconds of work for each piece that follows from
 * a number: as many as the server says. The jar's resource `variant` says which of the job's versions it is.
 */
public final class Counter {
    private static final long KEYS = 3;

    public static void main(String[] args) throws Exception {
        String variant = variant();
        long pause = Long.parseLong(args[1]);
        long slowness = args.length > 2 ? Long.parseLong(args[2]) : 0;
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        // What is after the count may have the parallelism of the options; all before it counts in one subtask.
        if (args.length <= 3) env.setParallelism(1);
        env.setBufferTimeout(1);
        long work = args.length > 4 ? Long.parseLong(args[4]) : 0;
        SingleOutputStreamOperator<Long> sums = env.fromSource(new Numbers(), WatermarkStrategy.noWatermarks(), "Numbers")
                .setParallelism(1)
                .uid("numbers")
                .map(number -> paced(number, pause))
                .setParallelism(1)
                .returns(Long.class)
                .uid("pace")
                .keyBy(number -> number % KEYS)
                .process(new Sums(args[0], variant, slowness))
                .setParallelism(1)
                .uid(variant.equals("renamed") ? "totals" : "sums");
        DataStream<Long> pieces = work == 0 ? sums
                : sums.map(number -> paced(number, work)).returns(Long.class).uid("work");
        pieces.sinkTo(new DiscardingSink<>()).uid("end");
        env.execute("Counter");
    }

    /** They have an end that nobody comes to, and Flink is told that they have none: else it may run them as a batch. */
    private static final class Numbers extends NumberSequenceSource {
        Numbers() {
            super(1, Long.MAX_VALUE);
        }

        @Override
        public Boundedness getBoundedness() {
            return Boundedness.CONTINUOUS_UNBOUNDED;
        }
    }

    private static String variant() throws IOException {
        try (InputStream resource = Counter.class.getResourceAsStream("/variant")) {
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8).trim();
        }
    }

    private static long paced(long number, long pause) throws InterruptedException {
        Thread.sleep(pause);
        return number;
    }

    /**
     * `changed` counts by the same state and says twice the sum; `retyped` cannot read the state that the others wrote;
     * `failing` fails once it has a complete checkpoint of its own.
     */
    private static final class Sums extends KeyedProcessFunction<Long, Long, Long>
            implements CheckpointedFunction, CheckpointListener {
        private final String url;
        private final String variant;
        private final long slowness;
        private transient ValueState<Long> count;
        private transient ValueState<Long> sum;
        private transient ListState<Long> last;
        private transient long position;
        private transient OptionalLong restored;
        private transient Map<Long, Long> positions;
        private transient String whoAmI;
        private transient boolean fails;

        Sums(String url, String variant, long slowness) {
            this.url = url;
            this.variant = variant;
            this.slowness = slowness;
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            positions = new TreeMap<>();
            if (variant.equals("retyped")) {
                context.getKeyedStateStore().getState(new ValueStateDescriptor<>("sum", String.class));
            }
            count = context.getKeyedStateStore().getState(new ValueStateDescriptor<>("count", Long.class));
            sum = context.getKeyedStateStore().getState(new ValueStateDescriptor<>("sum", Long.class));
            last = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("last", Long.class));
            for (long number : last.get()) position = number;
            restored = context.getRestoredCheckpointId();
        }

        @Override
        public void open(OpenContext context) {
            whoAmI = "&job=" + getRuntimeContext().getJobInfo().getJobId() + "&life=" + UUID.randomUUID()
                    + "&pod=" + System.getenv("HOSTNAME") + "&variant=" + variant;
            tell("kind=open&position=" + position + (restored.isPresent() ? "&restored=" + restored.getAsLong() : ""));
        }

        @Override
        public void processElement(Long number, Context context, Collector<Long> out) throws Exception {
            if (fails) throw new IllegalStateException("it fails, as it should");
            count.update((count.value() == null ? 0 : count.value()) + 1);
            sum.update((sum.value() == null ? 0 : sum.value()) + number);
            position = number;
            long said = variant.equals("changed") ? 2 * sum.value() : sum.value();
            int pieces = tell("kind=number&number=" + number + "&count=" + count.value() + "&sum=" + said);
            for (int piece = 0; piece < pieces; piece++) out.collect(number);
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            Thread.sleep(slowness);
            positions.put(context.getCheckpointId(), position);
            last.clear();
            last.add(position);
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            Long complete = positions.get(checkpointId);
            positions.keySet().removeIf(id -> id <= checkpointId);
            if (complete != null) tell("kind=checkpoint&checkpoint=" + checkpointId + "&position=" + complete);
            fails = complete != null && variant.equals("failing");
        }

        /** Answers how many pieces of work the server has for it. */
        private int tell(String what) {
            try {
                URI uri = URI.create(url + "?" + what + whoAmI);
                HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
                connection.setConnectTimeout(20_000);
                connection.setReadTimeout(20_000);
                if (connection.getResponseCode() != 204) throw new IOException("answer " + connection.getResponseCode());
                connection.getInputStream().close();
                return connection.getHeaderFieldInt("x-pieces", 1);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
