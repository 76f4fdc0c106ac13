package dispatch.examples;

import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;

/** Counts words of a few lines of text and prints the counts. Arguments: the lines; without any, built-in ones. */
public final class WordCount {
    private static final String[] LINES = {
        "a jar lands in a bucket and a job runs",
        "a message lands on a queue and a job runs",
        "the clock strikes and a job runs"
    };

    public static void main(String[] args) throws Exception {
        String[] lines = args.length > 0 ? args : LINES;
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setRuntimeMode(RuntimeExecutionMode.BATCH);
        env.fromSequence(0, lines.length - 1)
                .flatMap(new Words(lines))
                .keyBy(count -> count.f0)
                .sum(1)
                .print();
        env.execute("WordCount");
    }

    private static final class Words implements FlatMapFunction<Long, Tuple2<String, Integer>> {
        private final String[] lines;

        Words(String[] lines) {
            this.lines = lines;
        }

        @Override
        public void flatMap(Long line, Collector<Tuple2<String, Integer>> out) {
            for (String word : lines[line.intValue()].toLowerCase().split("\\W+")) {
                if (!word.isEmpty()) {
                    out.collect(Tuple2.of(word, 1));
                }
            }
        }
    }
}
