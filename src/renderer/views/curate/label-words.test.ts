import { afterEach, describe, expect, test } from 'vitest'
import { useMessages } from '../../../shared/messages/messages.ts'
import { ZH_CN } from '../../../shared/messages/zh-CN.ts'
import { labelWords } from './label-words.ts'

describe('labels of edits that the engine made', () => {
  afterEach(() => useMessages('en', null))

  test('are left as they are in English', () => {
    for (const label of ['Accept 450 regions', 'Undo: Imported', 'Box drawn']) expect(labelWords(label)).toBe(label)
  })

  test.each([
    ['Accept 1,450 regions', '接受 1,450 个区域'], ['Reject 1 region', '拒绝 1 个区域'], ['Skip 2 regions', '跳过 2 个区域'], ['Back to review: 3 regions', '退回待审：3 个区域'],
    ['Tag 2 regions “3 regions”', '为 2 个区域添加标签“3 regions”'], ['Take the tag “12” off 3 regions', '从 3 个区域移除标签“12”'], ['Move 4 regions to val', '将 4 个区域移到 val'],
    ['Assign 5 regions to nobody', '取消 5 个区域的分配'], ['Assign 5 regions to Ada', '将 5 个区域分配给 Ada'], ['Delete 6 regions', '删除 6 个区域'], ['Replace “cat” in 7 phrases', '在 7 个短语中替换“cat”'],
    ['Take back the second review of 8 regions', '撤回 8 个区域的复审'], ['Second review, accepted: 9 regions', '复审接受：9 个区域'], ['Second review, rejected: 9 regions', '复审拒绝：9 个区域'],
    ['Imported', '导入'], ['Redo: Undo: Accept 2 regions', '重做：撤销：接受 2 个区域'], ['Taken back, not finished: Delete 6 regions', '已撤回，未完成：删除 6 个区域'],
  ])('%s is said in Chinese', (label, words) => {
    useMessages('zh-CN', ZH_CN)
    expect(labelWords(label)).toBe(words)
  })

  test('a label of the page, in whatever language, stays', () => {
    useMessages('zh-CN', ZH_CN)
    expect([labelWords('Box drawn'), labelWords('画框')]).toEqual(['Box drawn', '画框'])
  })
})
