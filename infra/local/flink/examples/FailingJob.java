package dispatch.examples;

import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Fails on purpose while it runs: its third order is broken. Arguments: the number of the broken order (3). */
public final class FailingJob {
    public static final class BrokenOrderException extends IllegalArgumentException {
        BrokenOrderException(String message) {
            super(message);
        }
    }

    public static void main(String[] args) throws Exception {
        long broken = args.length > 0 ? Long.parseLong(args[0]) : 3;
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setRuntimeMode(RuntimeExecutionMode.BATCH);
        env.fromSequence(1, 1000).map(order -> check(order, broken)).print();
        env.execute("FailingJob");
    }

    private static String check(long order, long broken) {
        if (order == broken) {
            throw new BrokenOrderException("order " + order + " has no amount");
        }
        return "order " + order + " is fine";
    }
}
