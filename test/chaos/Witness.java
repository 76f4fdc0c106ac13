package dispatch.chaos;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Tells a server of each of its steps: `begin` when main() begins, `work` when a task handles the last element, `finish`
 * when main() knows that its job has finished. Arguments: the server's URL, what to call itself, and what to do.
 */
public final class Witness {
    private static final long ELEMENTS = 20;

    public static void main(String[] args) throws Exception {
        String url = args[0] + "?who=" + args[1] + "&where=" + System.getenv("HOSTNAME");
        String what = args[2];
        tell(url, "begin");
        if (what.equals("throw")) {
            throw new IllegalStateException("on purpose");
        }
        // <job>-<run>-<attempt>-<ReplicaSet>-<pod>
        if (what.equals("halt-once") && System.getenv("HOSTNAME").matches(".*-1-[^-]+-[^-]+")) {
            // As SIGKILL does: with another code it would be the program's own end.
            Runtime.getRuntime().halt(137);
        }
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        env.setRuntimeMode(what.equals("endless") ? RuntimeExecutionMode.STREAMING : RuntimeExecutionMode.BATCH);
        env.setParallelism(1);
        long last = what.equals("endless") ? Long.MAX_VALUE : ELEMENTS;
        env.fromSequence(1, last).map(number -> handle(number, url, what)).print();
        JobClient client = env.executeAsync("Witness");
        client.getJobExecutionResult().get();
        tell(url, "finish");
    }

    private static long handle(long number, String url, String what) throws Exception {
        Thread.sleep(50);
        if (what.equals("fail") && number == ELEMENTS / 2) {
            throw new IllegalStateException("element " + number + " is bad");
        }
        if (number == ELEMENTS && !what.equals("endless")) {
            tell(url, "work");
        }
        return number;
    }

    private static void tell(String url, String step) {
        try {
            HttpURLConnection connection = (HttpURLConnection) URI.create(url + "&step=" + step).toURL().openConnection();
            connection.setConnectTimeout(20_000);
            connection.setReadTimeout(20_000);
            if (connection.getResponseCode() != 204) {
                throw new IOException("answer " + connection.getResponseCode());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
