/**
 * For /bin/sh, with what Flink's official images have: curl or GNU wget, and coreutils; busybox does as well. It says in
 * one line, which Kubernetes keeps with the pod, why it did not succeed; the URL is never part of that line.
 */
export const DOWNLOAD = `set -u
end() {
  printf '%s\\n' "$1" >&2
  [ ! -w /dev/termination-log ] || printf '%s' "$1" > /dev/termination-log
  exit 1
}
sum_of() {
  sum=$(sha256sum "$1") && printf '%s' "\${sum%% *}"
}
checked() {
  [ -z "$JAR_SHA256" ] || [ "$(sum_of "$1")" = "$JAR_SHA256" ]
}
has() {
  command -v "$1" > /dev/null 2>&1
}
if [ -f "$JAR_FILE" ] && checked "$JAR_FILE"; then exit 0; fi
has sha256sum || end 'the image has no sha256sum: name one that has under jarDelivery.image'
has curl || has wget || end 'the image has neither curl nor wget: name one that has under jarDelivery.image'
part=$JAR_FILE.part
download() {
  if has curl; then
    curl --silent --show-error --fail-with-body --location --connect-timeout 10 --speed-limit 1 --speed-time 60 \\
      --retry 4 --retry-connrefused --output "$part" "$JAR_URL" 2>&1
  else
    wget -T 60 -O "$part" "$JAR_URL" 2>&1
  fi
}
rm -f "$part"
if ! said=$(download); then
  why=$(printf '%s\\n' "$said" | tail -n 1 | sed 's#[a-z]*://[^ ]*#the URL#g')
  more=$(head -c 2000 "$part" 2> /dev/null | tr -d '\\n' | sed -n 's#.*<Message>\\([^<]*\\)</Message>.*#: \\1#p')
  end "$why$more"
fi
checked "$part" || end "what arrived has the SHA-256 $(sum_of "$part"), not $JAR_SHA256"
chmod 444 "$part" && mv "$part" "$JAR_FILE" || end 'the jar could not be put into its place'
`;
