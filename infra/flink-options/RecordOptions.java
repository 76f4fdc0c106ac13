import java.io.File;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;

/**
 * Prints every ConfigOption that a Flink distribution declares in a class named Options: key, type, default, values, older
 * keys and description, with tabs between them. Argument: the folder of the distribution.
 */
public class RecordOptions {
    private static final String CONFIGURATION = "org.apache.flink.configuration.";

    private final URLClassLoader loader;
    private final Class<?> optionClass;
    private final TreeMap<String, String> lines = new TreeMap<>();

    public static void main(String[] args) throws Exception {
        List<File> jars = new ArrayList<>();
        for (String folder : List.of("lib", "opt")) {
            File[] files = new File(args[0], folder).listFiles((dir, name) -> name.endsWith(".jar"));
            jars.addAll(Arrays.asList(files));
        }
        RecordOptions record = new RecordOptions(jars);
        for (File jar : jars) record.readJar(jar);
        record.lines.values().forEach(System.out::println);
    }

    private RecordOptions(List<File> jars) throws Exception {
        List<URL> urls = new ArrayList<>();
        for (File jar : jars) urls.add(jar.toURI().toURL());
        loader = new URLClassLoader(urls.toArray(new URL[0]));
        optionClass = loader.loadClass(CONFIGURATION + "ConfigOption");
    }

    private void readJar(File jar) throws Exception {
        try (JarFile file = new JarFile(jar)) {
            for (JarEntry entry : Collections.list(file.entries())) {
                String name = entry.getName();
                if (!name.matches("org/apache/flink/.*Options[A-Za-z]*\\.class") || name.contains("shaded")) continue;
                Class<?> type = Class.forName(name.substring(0, name.length() - 6).replace('/', '.'), true, loader);
                for (Field field : type.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers()) || field.getType() != optionClass) continue;
                    field.setAccessible(true);
                    if (field.get(null) != null) readOption(field.get(null));
                }
            }
        }
    }

    private void readOption(Object option) throws Exception {
        Class<?> value = (Class<?>) inner("clazz", option);
        String type = value.isEnum() ? "Enum" : value.getSimpleName();
        Object[] known = value.isEnum() ? value.getEnumConstants() : new Object[0];
        String values = Arrays.stream(known).map(String::valueOf).collect(Collectors.joining("|"));
        List<String> older = new ArrayList<>();
        for (Object fallback : (Iterable<?>) call("fallbackKeys", option)) older.add((String) call("getKey", fallback));
        String key = (String) call("key", option);
        Object description = call("description", option);
        Object formatter = loader.loadClass(CONFIGURATION + "description.HtmlFormatter").getConstructor().newInstance();
        String text = (String) formatter.getClass().getMethod("format", description.getClass()).invoke(formatter, description);
        String listed = (Boolean) inner("isList", option) ? "List<" + type + ">" : type;
        String byDefault = show(call("defaultValue", option));
        String oneLine = text.replaceAll("\\s+", " ");
        lines.putIfAbsent(key, String.join("\t", key, listed, byDefault, values, String.join(",", older), oneLine));
    }

    private static Object call(String method, Object target) throws Exception {
        return target.getClass().getMethod(method).invoke(target);
    }

    private Object inner(String name, Object option) throws Exception {
        Field field = optionClass.getDeclaredField(name);
        field.setAccessible(true);
        return field.get(option);
    }

    private static String show(Object value) {
        if (value == null) return "";
        if (value instanceof Duration) return ((Duration) value).toMillis() + " ms";
        if (value instanceof Collection) {
            return ((Collection<?>) value).stream().map(String::valueOf).collect(Collectors.joining(";"));
        }
        return value.toString().replaceAll("[\\t\\n]", " ");
    }
}
