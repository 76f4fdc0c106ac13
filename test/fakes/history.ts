import { FakeArchiveStore } from './archive-store.ts';
import { FakeSampleStore } from './sample-store.ts';

export function fakeHistory(): { readonly samples: FakeSampleStore; readonly archives: FakeArchiveStore } {
  return { samples: new FakeSampleStore(), archives: new FakeArchiveStore() };
}
