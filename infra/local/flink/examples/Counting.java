package dispatch.examples;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * Counts 1, 2, 3… for ever. Where it is, and how many numbers there were, is its state; it tells a server of both at each
 * number. Arguments: the server's URL, what this version calls itself.
 */
public final class Counting {
    private static final long PAUSE_MS = 50;

    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setParallelism(1);
        env.setBufferTimeout(1);
        env.fromSequence(1, Long.MAX_VALUE)
                .uid("numbers")
                .map(Counting::paced)
                .returns(Long.class)
                .uid("pace")
                .keyBy(number -> 0)
                .process(new Count(args[0] + "?version=" + args[1]))
                .uid("count")
                .sinkTo(new DiscardingSink<>())
                .uid("end");
        env.execute("Counting");
    }

    private static long paced(long number) throws InterruptedException {
        Thread.sleep(PAUSE_MS);
        return number;
    }

    private static final class Count extends KeyedProcessFunction<Integer, Long, Long> {
        private final String url;
        private transient ValueState<Long> count;

        Count(String url) {
            this.url = url;
        }

        @Override
        public void open(OpenContext context) {
            count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Long.class));
        }

        @Override
        public void processElement(Long number, Context context, Collector<Long> out) throws Exception {
            count.update((count.value() == null ? 0 : count.value()) + 1);
            tell(number, count.value());
            out.collect(number);
        }

        private void tell(long number, long counted) throws IOException {
            URI uri = URI.create(url + "&number=" + number + "&count=" + counted);
            HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
            if (connection.getResponseCode() != 204) throw new IOException("answer " + connection.getResponseCode());
            connection.getInputStream().close();
        }
    }
}
