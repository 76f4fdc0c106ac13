package dispatch.examples;

import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.accumulators.DoubleCounter;
import org.apache.flink.api.common.accumulators.IntCounter;
import org.apache.flink.api.common.accumulators.LongMaximum;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Reads made-up orders, prints the large ones, and leaves its totals as accumulators: orders, largestOrder, revenue.
 * Arguments: how many orders (1000).
 */
public final class OrderTotals {
    public static void main(String[] args) throws Exception {
        long orders = args.length > 0 ? Long.parseLong(args[0]) : 1000;
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setRuntimeMode(RuntimeExecutionMode.BATCH);
        env.fromSequence(1, orders)
                .map(new Total())
                .filter(cents -> cents >= 99_000)
                .map(cents -> String.format("large order: %d.%02d", cents / 100, cents % 100))
                .print();
        env.execute("OrderTotals");
    }

    private static final class Total extends RichMapFunction<Long, Long> {
        private final IntCounter orders = new IntCounter();
        private final LongMaximum largest = new LongMaximum();
        private final DoubleCounter revenue = new DoubleCounter();

        @Override
        public void open(OpenContext context) {
            getRuntimeContext().addAccumulator("orders", orders);
            getRuntimeContext().addAccumulator("largestOrder", largest);
            getRuntimeContext().addAccumulator("revenue", revenue);
        }

        @Override
        public Long map(Long order) {
            long cents = (order * 7919) % 100_000;
            orders.add(1);
            largest.add(cents);
            revenue.add(cents / 100.0);
            return cents;
        }
    }
}
