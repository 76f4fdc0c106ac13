import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** A main() whose shape its arguments tell, step by step: job, fail, caught, async, endless, sleep8, throw, exit3, daemon. */
public class Shape {
    /** One for all jobs of main(), as most programs have it: with high availability it refuses a second one. */
    private static StreamExecutionEnvironment env;

    public static void main(String[] steps) throws Exception {
        for (String step : steps) {
            System.err.println("STEP " + step);
            run(step);
        }
        System.err.println("STEP returned");
    }

    private static void run(String step) throws Exception {
        if (step.equals("job")) job("job", false);
        else if (step.equals("fail")) job("fail", false);
        else if (step.equals("caught")) caught();
        else if (step.equals("async")) job("async", true);
        else if (step.equals("endless")) job("endless", true);
        else if (step.startsWith("sleep")) Thread.sleep(Long.parseLong(step.substring(5)) * 1000);
        else if (step.equals("throw")) throw new IllegalStateException("main() threw");
        else if (step.startsWith("exit")) System.exit(Integer.parseInt(step.substring(4)));
        else if (step.equals("daemon")) new Thread(Shape::idle).start();
    }

    private static void idle() {
        try {
            Thread.sleep(600_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void caught() throws Exception {
        try {
            job("fail", false);
        } catch (Exception e) {
            System.err.println("CAUGHT " + e);
        }
    }

    private static StreamExecutionEnvironment environment() {
        Configuration configuration = new Configuration();
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(1);
        return env;
    }

    private static void job(String name, boolean detached) throws Exception {
        if (env == null) env = environment();
        env.fromSequence(1, name.equals("endless") ? Long.MAX_VALUE : 10).map(new Count(name)).sinkTo(new DiscardingSink<>());
        if (detached) env.executeAsync(name);
        else env.execute(name);
    }

    public static class Count extends RichMapFunction<Long, Long> {
        private final String name;
        private final LongCounter lines = new LongCounter();

        Count(String name) {
            this.name = name;
        }

        @Override
        public void open(OpenContext context) {
            getRuntimeContext().addAccumulator("lines", lines);
        }

        @Override
        public Long map(Long value) throws InterruptedException {
            if (name.equals("endless")) Thread.sleep(100);
            if (name.equals("fail")) throw new IllegalArgumentException("the job failed");
            lines.add(1);
            return value;
        }
    }
}
